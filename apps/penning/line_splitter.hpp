#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace penning::apps {

/// Cuts the bytes of a stream, in whatever chunks they come, into lines.
///
/// A line longer than `max_line` comes in pieces of that length, so a stream without a line end
/// takes no more memory than this. Thread safety: none, one stream owns it.
class line_splitter {
 public:
  static constexpr std::size_t max_line = 8192;

  /// Calls `take(line, cut)` for each line that is complete, without its line end; `cut` says that
  /// the line goes on in the next call. What is left waits for more.
  template <class Take>
  void feed(std::string_view bytes, Take take) {
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      const auto piece = bytes.substr(0, std::min(end, max_line - partial_.size()));
      partial_ += piece;
      bytes.remove_prefix(piece.size());
      if (bytes.starts_with('\n')) {
        bytes.remove_prefix(1);
        take(std::exchange(partial_, {}), false);
      } else if (!bytes.empty()) {
        take(std::exchange(partial_, {}), true);
      }
    }
  }

  /// The end of the stream: what is left is a line as well.
  template <class Take>
  void flush(Take take) {
    if (!partial_.empty())
      take(std::exchange(partial_, {}), false);
  }

 private:
  std::string partial_;
};

} // namespace penning::apps
