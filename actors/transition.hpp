#pragma once

#include <penning/actors/letter.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace penning::actors {

template <class Module>
class gen_statem;

/// Events besides those that others send.
struct state_timeout {}; ///< Set by `transition::state_timeout`; a state change takes it back.
struct event_timeout {}; ///< Set by `transition::event_timeout`; any event takes it back.
struct named_timeout {   ///< Set by `transition::timeout`; only a new one of its name replaces it.
  term name;
};
/// The state has been entered, from `from`; at the start from the state itself.
template <class State>
struct entered {
  State from;
};

/// What a state machine does after an event: `keep()` or `next(state)` with actions, or a `stop`.
///
///     return step::next(state::open).state_timeout(10s).postpone();
///
/// A time of `std::nullopt` takes a timeout back. Source: `gen_statem:event_handler_result/2`.
template <class Module>
class transition {
 public:
  using state = typename Module::state;
  using delay = std::optional<std::chrono::milliseconds>;

  transition(actors::stop end) : stop_{std::move(end.reason)} {}
  static transition keep() { return {}; }
  static transition next(state to) {
    transition result;
    result.next_ = std::move(to);
    return result;
  }

  /// Handles this event again after the next state change, before newer ones.
  transition postpone() && { return postpone_ = true, std::move(*this); }
  transition state_timeout(delay time) && { return set(term{"state_timeout"_a}, time); }
  transition event_timeout(delay time) && { return set(atoms::timeout(), time); }
  transition timeout(term name, delay time) && {
    return set(tuple_of(atoms::timeout(), std::move(name)), time);
  }
  /// Handles `event` next, before all that wait; several in this order.
  template <class Event>
  transition next_event(Event event) && {
    events_.push_back(
      std::make_shared<detail::cast_letter<gen_statem<Module>, Event>>(std::move(event)));
    return std::move(*this);
  }

 private:
  friend gen_statem<Module>;
  transition() = default;
  transition set(term key, delay time) {
    timeouts_.emplace_back(std::move(key), time);
    return std::move(*this);
  }

  std::optional<state> next_;
  std::optional<term> stop_;
  bool postpone_ = false;
  std::vector<std::pair<term, delay>> timeouts_;
  std::vector<std::shared_ptr<detail::letter>> events_;
};

} // namespace penning::actors
