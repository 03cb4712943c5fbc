#pragma once

#include <penning/actors/server_ref.hpp>
#include <penning/actors/transition.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace penning::actors {

/// A state machine whose callback module is the ordinary class `Module`:
///
///     class door {
///      public:
///       enum class state { locked, open };
///       using step = transition<door>;
///       struct unlock { using reply = bool; int code; };
///
///       state init() { return state::locked; }
///       step handle_event(state, const unlock& event, from<bool>& caller) {
///         caller.reply(event.code == 42);
///         return event.code == 42 ? step::next(state::open).state_timeout(10s) : step::keep();
///       }
///       step handle_event(state, state_timeout) { return step::next(state::locked); }
///     };
///
/// - `state` is an enum, a `term` or any other type with `==`. `init()` returns the first one, or a
///   `step` that has it. The constructor is as that of a `gen_server`'s module.
/// - `handle_event(state, Event)` for what is cast or sent and for the timeouts,
///   `handle_event(state, Request, from<Reply>)` for calls, each returns a `step`, or nothing,
///   which keeps the state. `from` may be kept. Terms come as `call` (with `from<term>`), `cast`,
///   or `term`.
/// - `handle_event(state, entered<state>)`, if there is one, is called at the start and after each
///   state change; it may set timeouts, but neither change the state nor postpone.
/// - `terminate(term reason)`: see `callback_process` for when.
///
/// An event that is postponed is kept, so events are taken by value or by `const&`. Without a
/// callback a call ends the machine with `{bad_call, Request}`, any other event is dropped.
/// Handles: `ref`, as of a `gen_server`. Source: OTP's `gen_statem`.
template <class Module>
class gen_statem final : public callback_process {
 public:
  using ref = server_ref<gen_statem>;
  using state = typename Module::state;
  using step = transition<Module>;

  template <class... Args>
  explicit gen_statem(caf::actor_config& config, Args&&... args)
      : callback_process{config},
        module_{*this, std::forward<Args>(args)...} {}

  const char* name() const override { return "penning.gen_statem"; }

  using process::set_name;

  // -- what `server_ref` asks ---------------------------------------------------------------------

  template <class Request, class Reply>
  static constexpr bool calls = requires(Module& m, const state& s, const Request& r,
                                         from<Reply>& f) {
    m.handle_event(s, r, f);
  };
  template <class Event>
  static constexpr bool casts = requires(Module& m, const state& s, const Event& e) {
    m.handle_event(s, e);
  };
  template <class Event>
  static constexpr bool infos = casts<Event>;
  template <class Request>
  using reply_of = detail::named_reply<Request>;

  template <class Request, class Reply>
  void open_call(const std::shared_ptr<Request>& request, from<Reply> caller) {
    arrive([this, request, caller](const state& s) mutable {
      return step_of([&] { return module_->handle_event(s, std::as_const(*request), caller); });
    });
  }
  template <class Event>
  void open_cast(const std::shared_ptr<Event>& event) {
    arrive([this, event](const state& s) { return dispatch(s, std::as_const(*event)); });
  }
  template <class Event>
  void open_info(const std::shared_ptr<Event>& event) {
    open_cast(event);
  }

 protected:
  start_result init() override;
  caf::message_handler receive() override;

  void take_info(term message) override { open_cast(std::make_shared<term>(std::move(message))); }

  void handle_down(const down& message) override {
    if constexpr (casts<down>)
      open_cast(std::make_shared<down>(message));
    else
      callback_process::handle_down(message);
  }

  void on_stop(const term& reason) override {
    if constexpr (requires { module_->terminate(reason); })
      module_->terminate(reason);
  }

  void terminate(const term&) override {
    queue_.clear();
    postponed_.clear();
    module_.reset();
  }

 private:
  using thunk = std::function<step(const state&)>;

  template <class Callback>
  static step step_of(Callback&& callback) {
    if constexpr (std::is_void_v<std::invoke_result_t<Callback>>)
      return callback(), step::keep();
    else
      return callback();
  }

  template <class Event>
  step dispatch(const state& s, const Event& event) {
    if constexpr (casts<Event>)
      return step_of([&] { return module_->handle_event(s, event); });
    else
      return step::keep();
  }

  step dispatch_timeout(const state& s, const term& key);
  void arrive(thunk what);
  void drain();
  void handle(const thunk& what);
  void take(step result, const thunk& what);
  void apply(step& result);
  void enter(const state& from);
  void set_timeout(const term& key, std::optional<std::chrono::milliseconds> delay);

  module_slot<Module> module_;
  std::optional<state> state_;
  std::deque<thunk> queue_; // inserted, or to be retried: the mailbox comes when it is empty
  std::vector<thunk> postponed_;
  std::map<term, timer_ref> timers_; // by key: `state_timeout`, `timeout`, `{timeout, Name}`
  std::deque<term> due_now_;         // timeouts of 0: once the queue is empty, before the mailbox
  bool busy_ = true;                 // handles an event, or waits for its first step
};

template <class Module>
start_result gen_statem<Module>::init() {
  module_.check();
  auto first = [&] {
    if constexpr (std::same_as<decltype(module_->init()), step>)
      return module_->init();
    else
      return step::next(module_->init());
  }();
  if (first.stop_)
    return {start_result::kind::stop, *first.stop_};
  state_ = first.next_.value(); // `keep` is nothing that `init` can say
  apply(first);
  if (casts<entered<state>> || !queue_.empty() || !due_now_.empty())
    post_urgent(caf::actor{this}, first_step{});
  else
    busy_ = false;
  return {};
}

template <class Module>
caf::message_handler gen_statem<Module>::receive() {
  return {
    [this](envelope& sealed) { sealed.content->open(*this, sealed.content); },
    [this](call& message) -> caf::result<term> {
      from<term> caller{answer_later(), nullptr};
      arrive([this, message, caller](const state& s) mutable -> step {
        if constexpr (calls<call, term>)
          return step_of([&] { return module_->handle_event(s, std::as_const(message), caller); });
        else
          return actors::stop{tuple_of("bad_call"_a, message.request), {}};
      });
      return caller.answer().promise();
    },
    [this](cast& message) { open_cast(std::make_shared<cast>(std::move(message))); },
    [this](term& message) { take_info(std::move(message)); },
    [this](const first_step&) {
      enter(*state_);
      busy_ = false;
      drain();
    },
  };
}

template <class Module>
void gen_statem<Module>::arrive(thunk what) {
  queue_.push_back(std::move(what));
  drain();
}

template <class Module>
void gen_statem<Module>::drain() {
  if (std::exchange(busy_, true))
    return;
  while (!is_stopping() && !(queue_.empty() && due_now_.empty())) {
    thunk what;
    if (!queue_.empty()) {
      what = std::move(queue_.front());
      queue_.pop_front();
    } else {
      what = [this, key = std::move(due_now_.front())](const state& s) {
        return dispatch_timeout(s, key);
      };
      due_now_.pop_front();
    }
    handle(what);
  }
  busy_ = false;
}

template <class Module>
void gen_statem<Module>::handle(const thunk& what) {
  set_timeout(atoms::timeout(), std::nullopt);
  const auto callback = [&] { return what(*state_); };
  take(guarded(callback), what);
}

template <class Module>
void gen_statem<Module>::take(step result, const thunk& what) {
  if (result.stop_)
    return stop_with(std::move(*result.stop_));
  if (result.postpone_)
    postponed_.push_back(what);
  const bool changed = result.next_ && !(*result.next_ == *state_);
  const auto before = *state_;
  if (changed) {
    state_ = std::move(result.next_);
    set_timeout("state_timeout"_a, std::nullopt);
    queue_.insert(queue_.begin(), postponed_.begin(), postponed_.end());
    postponed_.clear();
  }
  apply(result);
  if (changed)
    enter(before);
}

template <class Module>
void gen_statem<Module>::apply(step& result) {
  auto later = std::exchange(queue_, {});
  for (auto& inserted : result.events_)
    inserted->open(*this, inserted);
  queue_.insert(queue_.end(), later.begin(), later.end());
  for (auto& [key, delay] : result.timeouts_)
    set_timeout(key, delay);
}

template <class Module>
void gen_statem<Module>::enter(const state& from) {
  const auto callback = [&] { return dispatch(*state_, entered<state>{from}); };
  auto result = guarded(callback);
  if (result.stop_)
    stop_with(std::move(*result.stop_));
  else
    apply(result);
}

template <class Module>
void gen_statem<Module>::set_timeout(const term& key,
                                     std::optional<std::chrono::milliseconds> delay) {
  std::erase(due_now_, key);
  if (const auto timer = timers_.find(key); timer != timers_.end()) {
    cancel_timer(this, timer->second);
    timers_.erase(timer);
  }
  if (delay == std::chrono::milliseconds{0})
    due_now_.push_back(key);
  else if (delay)
    timers_.emplace(key, run_after(this, *delay, [this, key] {
                      timers_.erase(key);
                      arrive([this, key](const state& s) { return dispatch_timeout(s, key); });
                    }));
}

template <class Module>
typename gen_statem<Module>::step gen_statem<Module>::dispatch_timeout(const state& s,
                                                                       const term& key) {
  if (key.is_atom("state_timeout"))
    return dispatch(s, actors::state_timeout{});
  if (const auto* named = key.get_if<tuple>())
    return dispatch(s, named_timeout{(*named)[1]});
  return dispatch(s, event_timeout{});
}

} // namespace penning::actors
