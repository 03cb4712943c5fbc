#pragma once

#include <penning/actors/pending_answer.hpp>
#include <penning/io/child.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

namespace penning::actors {

/// What changes for those who write when bytes come or go.
enum class input_notice : std::uint8_t { none, busy, ready };

/// How much may wait for a child that reads slowly. Pure: no actor, no clock.
class input_bound {
 public:
  /// More than `window` waiting is worth telling; more than `limit`, or `window` if that is larger,
  /// is not taken.
  input_bound(std::size_t window, std::size_t limit)
      : window_{window},
        limit_{std::max(window, limit)} {}

  /// Whether so much more is taken. A single piece is taken whatever its size.
  bool takes(std::size_t bytes) const noexcept {
    return queued_ == 0 || (queued_ <= limit_ && bytes <= limit_ - queued_);
  }

  /// Says `busy` once more than the window waits.
  input_notice add(std::size_t bytes) noexcept {
    queued_ += bytes;
    const bool is_new = !busy_ && queued_ > window_;
    busy_ = busy_ || is_new;
    return is_new ? input_notice::busy : input_notice::none;
  }

  /// Says `ready`, if `busy` was the last word, once no more than half the window waits.
  input_notice remove(std::size_t bytes) noexcept {
    queued_ -= std::min(bytes, queued_);
    const bool is_new = busy_ && queued_ <= window_ / 2;
    busy_ = busy_ && !is_new;
    return is_new ? input_notice::ready : input_notice::none;
  }

  std::size_t queued() const noexcept { return queued_; }
  bool is_busy() const noexcept { return busy_; }

 private:
  std::size_t window_;
  std::size_t limit_;
  std::size_t queued_ = 0;
  bool busy_ = false;
};

/// stdin of one OS process: what waits to be taken, and who is to be answered then. What is written
/// before the start waits for it. Thread safety: none, one process owns it.
class os_process_input {
 public:
  /// Commands that may wait, for each costs memory besides its bytes.
  static constexpr std::size_t max_commands = 65'536;

  explicit os_process_input(input_bound bound) : bound_{bound} {}

  /// The child has started: writes what waited.
  void open(std::shared_ptr<io::child> child);

  /// Why a command of so many bytes is not taken: EAGAIN, or that stdin is closed; no error if they
  /// are.
  std::error_code why_not(std::size_t bytes) const;

  /// Takes bytes, which are to be some; the answer, if any, is given once the child has taken them.
  input_notice write(std::vector<char> bytes, std::optional<pending_answer> answer);

  /// End of file once what waits has been taken.
  void close();

  /// The child has taken so many bytes.
  input_notice written(std::size_t bytes);

  /// Nothing more can be written: who waits gets this error.
  void fail(std::error_code reason);

  /// The child is gone.
  void end();

  const input_bound& bound() const noexcept { return bound_; }
  std::uint64_t total() const noexcept { return total_; } ///< Bytes that the child has taken.

 private:
  struct pending_write {
    std::size_t bytes;
    std::optional<pending_answer> answer;
  };

  input_bound bound_;
  std::uint64_t total_ = 0;
  std::shared_ptr<io::child> child_;
  std::list<pending_write> writes_;      // not a deque: empty it takes no memory
  std::vector<std::vector<char>> early_; // written before the start
  std::error_code closed_;               // set: nothing more is taken
};

/// `{Posix, Text}`, as the error of a request.
caf::error posix_error(std::error_code code);

} // namespace penning::actors
