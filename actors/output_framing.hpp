#pragma once

#include <penning/actors/os_messages.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <vector>

namespace penning::actors {

/// How an output stream is cut into messages.
struct delivery {
  enum class kind : std::uint8_t {
    bytes,   ///< As it comes.
    lines,   ///< Each line without its newline; a carriage return before it belongs to the line.
    records, ///< What `delimiter` ends, without it.
  };
  kind what = kind::bytes;
  std::string delimiter{}; ///< Of records: 1 to `max_delimiter` bytes, any of them.
  /// Bytes of a line or record without its delimiter, at least 1; a longer one comes in pieces.
  std::size_t max_length = 65'536;

  static constexpr std::size_t max_delimiter = 256;
  static constexpr std::size_t longest = std::size_t{32} << 20; ///< Of `max_length`.

  friend bool operator==(const delivery&, const delivery&) = default;
};

/// Throws `io::option_error` with this option for a delimiter that is missing, too long or not
/// asked for, and for a length that is not from 1 to `longest`.
void validate(const delivery& how, const char* option);

/// Empty it takes no memory, as a queue that may be one of many should not.
using line_list = std::list<line>;

/// Cuts a stream into lines or records. Pure: no actor, no clock.
///
/// Holds the unfinished line back: fewer bytes than `max_length` and a delimiter together have. So
/// a reader that may have as much as that unconsumed always gets on.
/// Complexity: amortised O(1) for each byte, however the stream comes. Thread safety: none.
/// Source: `{line, L}` of `erlang:open_port/2`.
class output_framing {
 public:
  /// `how` is of lines or records.
  explicit output_framing(const delivery& how);

  /// Takes the next bytes; appends to `lines` what they complete.
  void feed(std::vector<char> bytes, line_list& lines);

  /// The stream has ended: appends what is left, if anything is. After it a stream begins anew.
  void finish(line_list& lines);

  /// The bytes of the stream that a line stands for.
  std::size_t size_of(const line& line) const noexcept {
    return line.bytes.size() + (line.complete ? delimiter_.size() : 0);
  }

  /// The most that is held back or appended at once, with its delimiter.
  std::size_t max_size() const noexcept { return max_length_ + delimiter_.size(); }

 private:
  std::size_t find(std::size_t from) const;
  line copy(std::size_t begin, std::size_t end, bool complete) const;
  void keep_from(std::size_t begin);

  std::string delimiter_;
  std::size_t max_length_;
  std::vector<char> held_;
  std::size_t searched_ = 0; // no delimiter begins before this
};

} // namespace penning::actors
