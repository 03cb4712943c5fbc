#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penning::actors {

/// Finds a line that contains a text, in a stream that comes in chunks.
///
/// `text` is not empty and has no newline, so wherever it stands it stands within one line. It may
/// stand across the borders of chunks.
/// Complexity: amortised O(1) for each byte, and O(text) memory, however long a line is.
/// Source: Knuth, Morris and Pratt, "Fast pattern matching in strings".
class line_watch {
 public:
  explicit line_watch(std::string text) : text_{std::move(text)}, borders_(text_.size(), 0) {
    for (std::size_t end = 1; end < text_.size(); ++end)
      borders_[end] = extended(borders_[end - 1], text_[end]);
  }

  /// Takes the next chunk; whether the text has come, in this one or before.
  bool feed(std::string_view chunk) {
    for (const char byte : chunk) {
      if (matched_ == text_.size())
        break;
      matched_ = extended(matched_, byte);
    }
    return matched_ == text_.size();
  }

 private:
  /// How much of the text ends with `byte`, where `matched` of it ended just before.
  std::size_t extended(std::size_t matched, char byte) const {
    while (matched > 0 && text_[matched] != byte)
      matched = borders_[matched - 1];
    return text_[matched] == byte ? matched + 1 : 0;
  }

  std::string text_;
  std::vector<std::size_t> borders_; // of the text's first i + 1 bytes: how many begin and end them
  std::size_t matched_ = 0;
};

} // namespace penning::actors
