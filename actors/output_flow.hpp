#pragma once

#include <penning/actors/output_framing.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace penning::actors {

/// The output of one stream on its way to an owner, who has at most a window of it unconsumed.
///
/// Holds back what comes past the window, which is only what the pipes of an ended child still
/// held. Of lines and records the window is at least as large as one with its delimiter: what is
/// held back of an unfinished one has its room, and never keeps the rest from being read.
/// Pure: no actor, no clock. Thread safety: none, one process owns it.
class output_flow {
 public:
  explicit output_flow(std::size_t window, const delivery& how = {}) : window_{window} {
    if (how.what == delivery::kind::bytes)
      return;
    framing_ = std::make_unique<output_framing>(how);
    window_ = std::max(window, framing_->max_size());
  }

  /// What may be read before anything has been consumed.
  std::size_t window() const noexcept { return window_; }

  /// Whether it comes out as lines.
  bool has_lines() const noexcept { return framing_ != nullptr; }

  /// Takes a chunk; it comes out of `next`, in order.
  void push(std::vector<char> chunk) {
    if (framing_)
      framing_->feed(std::move(chunk), held_);
    else
      held_.push_back({std::move(chunk), false});
  }

  /// No chunk follows: what is left of a line comes out as well.
  void finish() {
    if (framing_)
      framing_->finish(held_);
  }

  /// The bytes of the stream that what `next` gave stands for.
  std::size_t size_of(const line& given) const noexcept {
    return framing_ ? framing_->size_of(given) : given.bytes.size();
  }

  /// What may be sent now, counted as unconsumed from here on: a line that the window has room for;
  /// of bytes the next chunk, or so much of it as it has room for.
  std::optional<line> next() {
    if (held_.empty() || unconsumed_ >= window_)
      return std::nullopt;
    const auto room = window_ - unconsumed_;
    if (framing_ && framing_->size_of(held_.front()) > room)
      return std::nullopt;
    auto result = framing_ ? take_front() : take_bytes(room);
    unconsumed_ += size_of(result);
    return result;
  }

  /// The owner has consumed `size` bytes.
  void consumed(std::size_t size) { unconsumed_ -= size; }

  /// Counts all that was sent as consumed; returns how much that was.
  std::size_t forget_unconsumed() { return std::exchange(unconsumed_, 0); }

  /// Whether all has been sent but an unfinished line.
  bool empty() const noexcept { return held_.empty(); }

 private:
  line take_front() {
    auto result = std::move(held_.front());
    held_.pop_front();
    return result;
  }

  line take_bytes(std::size_t room) {
    const auto& chunk = held_.front().bytes;
    if (sent_ == 0 && chunk.size() <= room)
      return take_front(); // the whole: the usual case copies nothing
    const auto first = chunk.begin() + static_cast<std::ptrdiff_t>(sent_);
    const auto size = std::min(chunk.size() - sent_, room);
    line result{{first, first + static_cast<std::ptrdiff_t>(size)}, false};
    sent_ += size;
    if (sent_ == chunk.size()) {
      held_.pop_front();
      sent_ = 0;
    }
    return result;
  }

  std::size_t window_;
  std::size_t unconsumed_ = 0;
  std::size_t sent_ = 0;                    // of the chunk in front
  std::unique_ptr<output_framing> framing_; // few have one
  line_list held_;
};

} // namespace penning::actors
