#include <penning/actors/timer.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace penning::actors {

timer_ref timer_queue::start(std::chrono::milliseconds delay, std::function<void()> action) {
  if (delay.count() < 0 || delay > max_delay)
    throw std::invalid_argument{"a timer of " + std::to_string(delay.count())
                                + " ms: must be from 0 to 4294967295"};
  if (closed_)
    return {};
  const timer_ref timer{alarm_.now() + delay, ++last_number_};
  timers_.emplace(timer, std::move(action));
  set_alarm();
  return timer;
}

bool timer_queue::cancel(timer_ref timer) {
  const bool known = timers_.erase(timer) > 0;
  if (timers_.empty() && alarm_.due() && *alarm_.due() > alarm_.now() + idle_alarm)
    alarm_.cancel();
  return known;
}

void timer_queue::close() {
  closed_ = true;
  timers_.clear();
  alarm_.cancel();
}

void timer_queue::ring() {
  const auto now = alarm_.now();
  if (alarm_.due() && *alarm_.due() <= now)
    alarm_.rung();
  std::vector<timer_ref> due; // an action may start and cancel others
  for (auto timer = timers_.begin(); timer != timers_.end() && timer->first.due <= now; ++timer)
    due.push_back(timer->first);
  for (const auto& timer : due)
    if (auto node = timers_.extract(timer))
      node.mapped()();
  set_alarm();
}

void timer_queue::set_alarm() {
  if (timers_.empty())
    return;
  const auto due = timers_.begin()->first.due;
  if (!alarm_.due() || due < *alarm_.due())
    alarm_.set(due);
}

} // namespace penning::actors
