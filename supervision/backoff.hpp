#pragma once

#include <penning/actors/term.hpp>

#include <chrono>
#include <optional>

namespace penning::supervision {

/// How long a supervisor waits before it restarts a child: longer after each failure in a row. OTP
/// restarts at once, which is what happens without it.
struct backoff {
  std::chrono::milliseconds initial{100};        ///< Before the first restart; at least 1.
  std::chrono::milliseconds max{30'000};         ///< Never longer; at least `initial`.
  double factor = 2.0;                           ///< From one restart to the next; at least 1.
  double jitter = 0.1;                           ///< Up to this part of it is left out at random.
  std::chrono::milliseconds reset_after{60'000}; ///< One that ran that long begins anew.

  friend bool operator==(const backoff&, const backoff&) = default;
};

/// Throws `spec_error` with `{invalid_backoff, {Key, Value}}`.
void validate(const backoff& how);

/// Reads a map with these keys, times in milliseconds, or a list of pairs; what is missing takes
/// its default.
/// Throws `spec_error`: `{invalid_backoff, {Key, Value}}`, or `{invalid_backoff, X}` for what is
/// neither.
backoff backoff_from_term(const actors::term& value);

/// A map with all keys.
actors::term to_term(const backoff& how);

/// Before the restart that follows `failures` others in a row; `random` is from 0 to 1.
std::chrono::milliseconds delay(const backoff& how, unsigned failures, double random);

/// What there is to remember of a child whose restarts are delayed.
class restart_delay {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// It is up.
  void started(time_point now) { up_since_ = now; }

  /// It has ended, or has failed to start: for how long to wait now.
  std::chrono::milliseconds next(const backoff& how, time_point now);

 private:
  std::optional<time_point> up_since_;
  unsigned failures_ = 0;
};

} // namespace penning::supervision
