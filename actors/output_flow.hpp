#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

namespace penning::actors {

/// The output of one stream on its way to an owner, who has at most a window of it unconsumed.
///
/// Holds back what comes past the window, which is only what the pipes of an ended child still held.
/// Pure: no actor, no clock. Thread safety: none, one process owns it.
class output_flow {
 public:
  explicit output_flow(std::size_t window) : window_{window} {}

  /// Takes a chunk; it comes out of `next`, in order.
  void push(std::vector<char> chunk) { held_.push_back(std::move(chunk)); }

  /// The next chunk that may be sent now, counted as unconsumed from here on.
  std::optional<std::vector<char>> next() {
    if (held_.empty() || unconsumed_ >= window_)
      return std::nullopt;
    auto chunk = std::move(held_.front());
    held_.pop_front();
    unconsumed_ += chunk.size();
    return chunk;
  }

  /// The owner has consumed `size` bytes.
  void consumed(std::size_t size) { unconsumed_ -= size; }

  /// Whether all has been sent.
  bool empty() const noexcept { return held_.empty(); }

 private:
  std::size_t window_;
  std::size_t unconsumed_ = 0;
  std::deque<std::vector<char>> held_;
};

} // namespace penning::actors
