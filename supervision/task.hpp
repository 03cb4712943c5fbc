#pragma once

#include <penning/actors/server_ref.hpp>
#include <penning/supervision/child_spec.hpp>

#include <chrono>
#include <concepts>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

namespace penning::supervision {

using actors::call_timeout;

/// How long `await` and `yield` wait unless they are told, as Elixir's.
inline constexpr std::chrono::milliseconds default_task_timeout{5000};

/// What a task whose callable returns nothing gives.
using nothing = std::monostate;

template <class R>
using task_value = std::conditional_t<std::is_void_v<R>, nothing, R>;

/// What is known of a task's end: its value, or with which reason it ended without one, or neither,
/// if it has not ended yet. Elixir: `{:ok, Value}`, `{:exit, Reason}`, `nil`.
template <class R>
struct task_outcome {
  std::optional<task_value<R>> value = {};
  std::optional<term> exit = {};

  bool is_known() const noexcept { return value || exit; }
};

/// Why a thread got no value: `timeout`, the reason with which the task ended, or that with which
/// its start was refused, `max_children` say.
struct task_failed : std::runtime_error {
  explicit task_failed(term why);
  term reason;
};

namespace detail {

/// From who started a task with `async`: he is ready for it.
struct begin_task {};

/// What a task's process runs, in its own thread.
class task_job {
 public:
  virtual ~task_job() = default;
  /// What it throws is the reason of the end.
  virtual void run() = 0;
  /// After `run`, or without it.
  virtual void ended(const term& reason) noexcept = 0;
};

/// The outcome on its way from the task to who waits for it, a thread perhaps.
template <class R>
class task_slot {
 public:
  void give(task_value<R> value) {
    const std::lock_guard lock{mutex_};
    outcome_.value.emplace(std::move(value));
    changed_.notify_all();
  }

  /// Nothing but a value that was given before counts.
  void end(const term& reason) {
    const std::lock_guard lock{mutex_};
    if (!outcome_.is_known())
      outcome_.exit = reason;
    changed_.notify_all();
  }

  /// Once it is known; not more than once.
  task_outcome<R> take() {
    const std::lock_guard lock{mutex_};
    return std::move(outcome_);
  }

  /// Whether it is known, within that time.
  bool wait(call_timeout timeout) const {
    std::unique_lock lock{mutex_};
    const auto known = [this] { return outcome_.is_known(); };
    if (timeout)
      return changed_.wait_for(lock, *timeout, known);
    return changed_.wait(lock, known), true;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  task_outcome<R> outcome_;
};

/// One that ended as it was told to has nothing to tell.
template <class R>
task_outcome<R> after_shutdown(task_outcome<R> what) {
  if (what.exit == term{actors::atoms::shutdown()})
    what.exit.reset();
  return what;
}

template <class F>
using task_result = std::remove_cvref_t<std::invoke_result_t<F&>>;

/// A callable whose result goes to a slot.
template <class F, class R = task_result<F>>
class slot_job final : public task_job {
 public:
  slot_job(F call, std::shared_ptr<task_slot<R>> slot)
      : call_{std::move(call)},
        slot_{std::move(slot)} {}

  void run() override {
    if constexpr (std::is_void_v<R>)
      invoke(), slot_->give({});
    else
      slot_->give(invoke());
  }
  void ended(const term& reason) noexcept override {
    call_.reset();
    slot_->end(reason);
  }

 private:
  /// What the callable holds is given up before anyone hears of the end.
  R invoke() {
    F call = *std::exchange(call_, std::nullopt);
    return call();
  }

  std::optional<F> call_;
  std::shared_ptr<task_slot<R>> slot_;
};

/// A callable whose result nobody wants; after a restart it is called again.
template <class F>
class plain_job final : public task_job {
 public:
  explicit plain_job(F call) : call_{std::move(call)} {}
  void run() override { static_cast<void>(call_()); }
  void ended(const term&) noexcept override {}

 private:
  F call_;
};

/// A task, as the process sees it that started it.
class open_task : public std::enable_shared_from_this<open_task> {
 public:
  using callback = std::function<void()>;

  open_task(actors::process* self, bool linked) : self_{self}, linked_{linked} {}

  void start(const caf::actor& supervisor, child_spec spec);
  /// Calls back once, in a handler of its own: when it has ended, or when the time has passed.
  void wait(call_timeout timeout, callback call);
  /// Calls back when it has ended.
  void shut_down(callback call);

  bool has_ended() const noexcept { return ended_; }
  /// Why there is no value.
  const std::optional<term>& failure() const noexcept { return failure_; }

  /// The end of the calling process if `await` brings nothing: `{Reason, {task, await, Timeout}}`.
  void fail_await(const term& reason, call_timeout timeout);

 private:
  using place = std::shared_ptr<callback>;

  void on_started(const caf::actor& pid, const place& waiting);
  void refuse(const term& reason);
  void send_shutdown();
  void end(std::optional<term> failure);
  void expect(callback call);
  void call_back();

  actors::process* self_;
  bool linked_;
  caf::actor pid_; // while it runs
  actors::timer_ref timer_;
  /// Who waits. The requests on their way have it, which go with the process: his callback may well
  /// hold the task.
  std::weak_ptr<callback> waiting_;
  std::optional<term> failure_;
  bool told_ = false; // to end
  bool ended_ = false;
  bool taken_ = false;
};

} // namespace detail

/// A task of the process that called `task_supervisor::ref::async` or `async_nolink`, and whoever
/// else has it must leave it alone. It need not be kept: what is not waited for is dropped.
///
/// One thing is asked of it at a time, and nothing once it has told its end; that is a
/// `std::logic_error`. All answers come in a handler of their own.
template <class R>
class task {
 public:
  using outcome = task_outcome<R>;

  task(std::shared_ptr<detail::open_task> open, std::shared_ptr<detail::task_slot<R>> slot)
      : open_{std::move(open)},
        slot_{std::move(slot)} {}

  /// Calls `on_value(R)`. If there is none within the time, or the task ends without one, the
  /// calling process ends with `{timeout, {task, await, Timeout}}` or `{Reason, {task, await,
  /// Timeout}}`. Source: `Task.await/2`.
  template <class OnValue>
  void await(call_timeout timeout, OnValue on_value) const {
    wait(
      timeout, [open = open_.get(), timeout, on_value = std::move(on_value)](outcome what) mutable {
        if (!what.value)
          return open->fail_await(what.exit ? *what.exit : term{actors::atoms::timeout()}, timeout);
        if constexpr (std::is_void_v<R>)
          on_value();
        else
          on_value(*std::move(what.value));
      });
  }
  template <class OnValue>
  void await(OnValue on_value) const {
    await(default_task_timeout, std::move(on_value));
  }

  /// Calls `on_outcome(task_outcome<R>)`. If the task has not ended within the time, it may be
  /// asked again. Source: `Task.yield/2`.
  template <std::invocable<outcome> OnOutcome>
  void yield(call_timeout timeout, OnOutcome on_outcome) const {
    wait(timeout, std::move(on_outcome));
  }
  template <std::invocable<outcome> OnOutcome>
  void yield(OnOutcome on_outcome) const {
    yield(default_task_timeout, std::move(on_outcome));
  }

  /// Takes the link back and tells the task to end; then calls `on_outcome` with the value, if it
  /// had begun, or a reason other than `shutdown`, or neither. Source: `Task.shutdown/2`, whose
  /// time limit is of no use here: see `task_supervisor`.
  template <std::invocable<outcome> OnOutcome>
  void shutdown(OnOutcome on_outcome) const {
    auto call = std::make_shared<OnOutcome>(std::move(on_outcome));
    open_->shut_down([open = open_.get(), slot = slot_, call] {
      (*call)(detail::after_shutdown(result(*open, *slot)));
    });
  }
  void shutdown() const {
    shutdown([](outcome) {});
  }

 private:
  static outcome result(const detail::open_task& open, detail::task_slot<R>& slot) {
    if (!open.has_ended())
      return {};
    return open.failure() ? outcome{.exit = *open.failure()} : slot.take();
  }

  template <class OnOutcome>
  void wait(call_timeout timeout, OnOutcome on_outcome) const {
    // Shared, for `std::function` wants to copy.
    auto call = std::make_shared<OnOutcome>(std::move(on_outcome));
    open_->wait(timeout,
                [open = open_.get(), slot = slot_, call] { (*call)(result(*open, *slot)); });
  }

  std::shared_ptr<detail::open_task> open_;
  std::shared_ptr<detail::task_slot<R>> slot_;
};

/// A task of a thread that is no actor. Move-only; to be used by one thread at a time.
///
/// Asking once more after the end has been told is a `std::logic_error`.
template <class R>
class task_future {
 public:
  using outcome = task_outcome<R>;

  task_future(caf::actor pid, std::shared_ptr<detail::task_slot<R>> slot)
      : pid_{std::move(pid)},
        slot_{std::move(slot)} {}
  task_future(task_future&&) noexcept = default;
  task_future& operator=(task_future&&) noexcept = default;
  task_future(const task_future&) = delete;
  task_future& operator=(const task_future&) = delete;
  ~task_future() = default;

  const caf::actor& pid() const noexcept { return pid_; }

  /// The value. Errors: `task_failed`; after a timeout the task is lost, and its value dropped.
  R await(call_timeout timeout = default_task_timeout) {
    auto what = yield(timeout);
    slot_.reset();
    if (!what.value)
      throw task_failed{what.exit ? *std::move(what.exit) : term{actors::atoms::timeout()}};
    if constexpr (!std::is_void_v<R>)
      return *std::move(what.value);
  }

  /// What is known within that time; if nothing is, it may be asked again.
  outcome yield(call_timeout timeout = default_task_timeout) {
    check();
    if (!slot_->wait(timeout))
      return {};
    return std::exchange(slot_, nullptr)->take();
  }

  /// Tells the task to end and waits until it has; see `task::shutdown`.
  outcome shutdown() {
    check();
    actors::send_exit(pid_, {}, actors::atoms::shutdown());
    return detail::after_shutdown(yield(std::nullopt));
  }

 private:
  void check() const {
    if (!slot_)
      throw std::logic_error{"task: its end has been told already"};
  }

  caf::actor pid_;
  std::shared_ptr<detail::task_slot<R>> slot_;
};

} // namespace penning::supervision

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::supervision::detail::begin_task)
