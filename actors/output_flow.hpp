#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace penning::actors {

/// The output of one stream on its way to an owner, who has at most a window of it unconsumed.
///
/// Holds back what comes past the window, which is only what the pipes of an ended child still
/// held. Pure: no actor, no clock. Thread safety: none, one process owns it.
class output_flow {
 public:
  explicit output_flow(std::size_t window) : window_{window} {}

  /// Takes a chunk; it comes out of `next`, in order.
  void push(std::vector<char> chunk) { held_.push_back(std::move(chunk)); }

  /// What may be sent now, counted as unconsumed from here on: the next chunk, or so much of it as
  /// the window has room for.
  std::optional<std::vector<char>> next() {
    if (held_.empty() || unconsumed_ >= window_)
      return std::nullopt;
    auto& chunk = held_.front();
    const auto size = std::min(chunk.size() - sent_, window_ - unconsumed_);
    const bool is_rest = sent_ + size == chunk.size();
    std::vector<char> result;
    if (size == chunk.size()) {
      result = std::move(chunk); // the whole: the usual case copies nothing
    } else {
      const auto first = chunk.begin() + static_cast<std::ptrdiff_t>(sent_);
      result.assign(first, first + static_cast<std::ptrdiff_t>(size));
    }
    unconsumed_ += size;
    sent_ += size;
    if (is_rest) {
      held_.pop_front();
      sent_ = 0;
    }
    return result;
  }

  /// The owner has consumed `size` bytes.
  void consumed(std::size_t size) { unconsumed_ -= size; }

  /// Counts all that was sent as consumed; returns how much that was.
  std::size_t forget_unconsumed() { return std::exchange(unconsumed_, 0); }

  /// Whether all has been sent.
  bool empty() const noexcept { return held_.empty(); }

 private:
  std::size_t window_;
  std::size_t unconsumed_ = 0;
  std::size_t sent_ = 0; // of the chunk in front
  std::deque<std::vector<char>> held_;
};

} // namespace penning::actors
