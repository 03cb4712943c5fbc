#pragma once

#include <penning/actors/caf.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace penning::actors {

/// The longest time that a timer takes, as of Erlang's: 2^32 - 1 ms, about 50 days.
inline constexpr std::chrono::milliseconds max_delay{4'294'967'295};

/// Identifies a timer of one process; one that is default-made identifies none.
struct timer_ref {
  alarm::time_point due;
  std::uint64_t number = 0;

  friend auto operator<=>(const timer_ref&, const timer_ref&) = default;
};

/// The timers of one process, behind one alarm. All else that is to be known stands at
/// `send_after`.
class timer_queue {
 public:
  explicit timer_queue(caf::scheduled_actor& self) : alarm_{self, [this] { ring(); }} {}

  timer_ref start(std::chrono::milliseconds delay, std::function<void()> action);
  bool cancel(timer_ref timer);
  std::size_t size() const noexcept { return timers_.size(); }

  /// Takes all back, and starts none from now on.
  void close();

 private:
  void ring();
  void set_alarm();

  alarm alarm_;
  std::map<timer_ref, std::function<void()>> timers_; // by the time at which they are due
  std::uint64_t last_number_ = 0;
  bool closed_ = false;
};

/// Calls `action` in the process `self` once `delay` has passed on the actor system's clock.
///
/// Call it in a handler of `self`. Timers that are due at the same time come in the order in which
/// they were started. None comes after the process's end, and none keeps its memory then.
/// Errors: `std::invalid_argument` for a delay that is not from 0 to `max_delay`.
/// Complexity: logarithmic in the number of `self`'s timers.
template <class Self>
timer_ref run_after(Self* self, std::chrono::milliseconds delay, std::function<void()> action) {
  return self->timers().start(delay, std::move(action));
}

/// `run_after` with a message to `self`, of any type that an actor may be sent.
/// Source: `erlang:send_after/3`.
template <class Self, class Message>
timer_ref send_after(Self* self, std::chrono::milliseconds delay, Message&& message) {
  return run_after(self, delay, [self, m = caf::make_message(std::forward<Message>(message))] {
    handle_now(*self, m);
  });
}

/// After this nothing comes of `timer`, even if it was due already. Says whether it was still to
/// come.
///
/// The clock lets go of `self` at once, or within `idle_alarm` if the timer would have been due by
/// then: a server whose every call sets and takes back a deadline sets the clock once in a while.
/// Source: `erlang:cancel_timer/1`.
template <class Self>
bool cancel_timer(Self* self, timer_ref timer) {
  return timer.number != 0 && self->timers().cancel(timer);
}

/// How long an alarm stays set that nobody waits for any more.
inline constexpr std::chrono::seconds idle_alarm{5};

} // namespace penning::actors
