#pragma once

#include <penning/supervision/dynamic_supervisor.hpp>
#include <penning/supervision/task.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace penning::supervision {

/// How a task is run.
struct task_options {
  bool detached = false; ///< In a thread of its own, as one that blocks should be.
  shutdown_policy shutdown = std::chrono::milliseconds{5000};
  restart_type restart = restart_type::temporary; ///< Of `start_child` only.
};

/// A supervisor of tasks: of callables that run once, each in a process of its own, and of whose
/// ends the caller may hear. `ref` is what others do with it.
///
/// In a process, which never blocks:
///
///     task_supervisor::ref tasks{self.start_link<task_supervisor>().pid};
///     auto digest = tasks.async(&self, [bytes] { return sha256(bytes); });
///     digest.await([this](std::string hex) { publish(hex); });       // within 5 s, or it ends
///
///     auto report = tasks.async_nolink(&self, [] { return ask_a_slow_peer(); }, {.detached =
///     true}); report.yield(1s, [report](task_outcome<text> outcome) {
///       if (outcome.value)
///         show(*outcome.value);
///       else if (outcome.exit)
///         log(*outcome.exit);                                          // its reason
///       else
///         report.shutdown();                                           // not within a second
///     });
///
/// In a thread that is no actor:
///
///     task_supervisor::ref tasks{start_link<task_supervisor>(*self)};  // of a caf::scoped_actor
///     auto sum = tasks.async(self, [] { return add_up(); });
///     int total = sum.await(10s);                                      // or throws task_failed
///
/// The callable takes nothing and returns anything that can be moved, or nothing. An exception ends
/// its process with `exception_reason`. Once it has begun nothing interrupts it: an exit signal,
/// `kill` as well, comes after it, and who stops the task, its supervisor say, waits for that. So
/// when the task has ended, nothing that the callable refers to is in use any more.
///
/// Children are temporary and get 5 s to stop. Otherwise it is a `dynamic_supervisor`, and all of
/// its requests can be sent to `ref::actor()`. Source: Elixir's `Task.Supervisor` and `Task`.
class task_supervisor final : public dynamic_supervisor {
 public:
  explicit task_supervisor(caf::actor_config& config, dynamic_options options = {});

  const char* name() const override { return "penning.task_supervisor"; }

  class ref;
};

namespace detail {

/// `caller`: who waits for it, if anyone does.
child_spec task_spec(std::shared_ptr<task_job> job, const task_options& options,
                     std::optional<caf::actor_addr> caller = std::nullopt);

void start_task(actors::process* self, const caf::actor& supervisor, child_spec spec,
                std::function<void(const supervisor_reply&)> on_reply);
supervisor_reply start_task(caf::scoped_actor& self, const caf::actor& supervisor, child_spec spec);

/// Errors: `task_failed` if it is refused.
caf::actor begin_task_of(caf::scoped_actor& self, const caf::actor& supervisor, child_spec spec);

} // namespace detail

/// A handle of a task supervisor; it keeps it, as a `caf::actor` does.
class task_supervisor::ref {
 public:
  ref() = default;
  explicit ref(caf::actor supervisor) : supervisor_{std::move(supervisor)} {}

  const caf::actor& actor() const noexcept { return supervisor_; }

  /// Runs `call` in a process that is linked to `self` before it begins: if either crashes, both
  /// end. One whose caller has ended before that exits `{shutdown, Reason}`.
  /// If it is not started, because of `max_children` say, `self` ends with `{Reason, {task,
  /// async}}`, whether or not it traps exits: there Elixir raises an exception.
  /// Source: `Task.Supervisor.async/3`.
  template <class F>
  auto async(actors::process* self, F call, const task_options& options = {}) const {
    return open(self, true, std::move(call), options);
  }

  /// Likewise, but how it ends, or why it was not started, is told by the task alone.
  /// Source: `Task.Supervisor.async_nolink/3`.
  template <class F>
  auto async_nolink(actors::process* self, F call, const task_options& options = {}) const {
    return open(self, false, std::move(call), options);
  }

  /// For a thread that is no actor; returns once the task is started. A thread gets no exit
  /// signals, so both are the same: the future alone tells how it ends. Errors: `task_failed` if it
  /// is not started.
  template <class F>
  auto async(caf::scoped_actor& self, F call, const task_options& options = {}) const {
    return open(self, std::move(call), options);
  }
  template <class F>
  auto async_nolink(caf::scoped_actor& self, F call, const task_options& options = {}) const {
    return open(self, std::move(call), options);
  }

  /// Runs `call`, of whose end nobody hears but the supervisor, and calls `on_reply` with what that
  /// answers: `{ok, Pid}` or `{error, max_children}`. Without a supervisor `self` ends with
  /// `{noproc, {task, start_child}}`. Source: `Task.Supervisor.start_child/3`.
  template <class F, std::invocable<const supervisor_reply&> OnReply>
  void start_child(actors::process* self, F call, OnReply on_reply,
                   const task_options& options = {}) const {
    auto then = std::make_shared<OnReply>(std::move(on_reply));
    detail::start_task(self, supervisor_, plain_spec(std::move(call), options),
                       [then](const supervisor_reply& reply) { (*then)(reply); });
  }

  /// Errors: `task_failed` with `noproc` without a supervisor.
  template <class F>
  supervisor_reply start_child(caf::scoped_actor& self, F call,
                               const task_options& options = {}) const {
    return detail::start_task(self, supervisor_, plain_spec(std::move(call), options));
  }

 private:
  template <class F>
  static child_spec plain_spec(F call, const task_options& options) {
    return detail::task_spec(std::make_shared<detail::plain_job<F>>(std::move(call)), options);
  }

  template <class F>
  static auto slot_spec(F call, task_options options, caf::actor_addr caller) {
    auto slot = std::make_shared<detail::task_slot<detail::task_result<F>>>();
    options.restart = restart_type::temporary;
    auto job = std::make_shared<detail::slot_job<F>>(std::move(call), slot);
    return std::pair{detail::task_spec(std::move(job), options, std::move(caller)),
                     std::move(slot)};
  }

  template <class F>
  task<detail::task_result<F>> open(actors::process* self, bool linked, F call,
                                    const task_options& options) const {
    auto [spec, slot] = slot_spec(std::move(call), options, self->address());
    auto opened = std::make_shared<detail::open_task>(self, linked);
    opened->start(supervisor_, std::move(spec));
    return {std::move(opened), std::move(slot)};
  }

  template <class F>
  task_future<detail::task_result<F>> open(caf::scoped_actor& self, F call,
                                           const task_options& options) const {
    auto [spec, slot] = slot_spec(std::move(call), options, self.address());
    return {detail::begin_task_of(self, supervisor_, std::move(spec)), std::move(slot)};
  }

  caf::actor supervisor_;
};

} // namespace penning::supervision
