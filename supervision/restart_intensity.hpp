#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

namespace penning::supervision {

/// Decides whether a supervisor may restart a child once more.
///
/// Escalates when more than `intensity` restarts fall within `period`, counted in whole seconds of
/// a monotonic clock, as OTP counts: an entry lives longer than `period` by up to a second. Errors:
/// none; a negative `intensity` cannot be expressed. Complexity: amortised O(1). Thread safety:
/// none, one supervisor owns it. Source: `add_restart` in OTP's `supervisor.erl`.
class restart_intensity {
 public:
  restart_intensity(std::uint32_t intensity, std::chrono::seconds period)
      : intensity_{intensity},
        period_{period} {}

  /// From now on; restarts that were counted stay so.
  void set_limits(std::uint32_t intensity, std::chrono::seconds period) {
    intensity_ = intensity;
    period_ = period;
  }

  /// Counts a restart at `now`; false if it is one too many.
  bool add(std::chrono::seconds now) {
    while (!restarts_.empty() && restarts_.front() < now - period_)
      restarts_.pop_front();
    restarts_.push_back(now);
    return restarts_.size() <= intensity_;
  }

 private:
  std::uint32_t intensity_;
  std::chrono::seconds period_;
  std::deque<std::chrono::seconds> restarts_;
};

} // namespace penning::supervision
