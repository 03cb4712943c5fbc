#include <penning/supervision/task_supervisor.hpp>

#include <exception>
#include <utility>

namespace penning::supervision {

using namespace actors::literals;
using actors::tuple_of;
namespace atoms = actors::atoms;

namespace {

/// The process of a task. One that somebody waits for begins when he says so, which may take as
/// long as he is busy; only his end ends the wait.
class task_process final : public actors::process {
 public:
  task_process(caf::actor_config& config, std::shared_ptr<detail::task_job> job,
               std::optional<caf::actor_addr> caller)
      : process{config},
        job_{std::move(job)},
        caller_{std::move(caller)} {}

  const char* name() const override { return "penning.task"; }

 protected:
  actors::start_result init() override {
    if (!caller_)
      actors::post(caf::actor{this}, detail::begin_task{});
    else if (const auto caller = caf::actor_cast<caf::actor>(*caller_))
      monitor(caller);
    else
      actors::send_exit(caf::actor{this}, {}, tuple_of(atoms::shutdown(), atoms::noproc()));
    return {};
  }

  caf::message_handler receive() override {
    return {[this](detail::begin_task) -> caf::result<caf::unit_t> {
      actors::pending_answer from{make_response_promise()};
      const auto reason = run();
      if (reason)
        from.fail(*reason);
      else
        from.deliver(caf::unit);
      exit(reason.value_or(atoms::normal()));
      return from.promise();
    }};
  }

  void handle_down(const actors::down& caller) override {
    exit(tuple_of(atoms::shutdown(), caller.reason));
  }

  void terminate(const term& reason) override { std::exchange(job_, nullptr)->ended(reason); }

 private:
  /// The reason of its end, if it is not done.
  std::optional<term> run() {
    try {
      job_->run();
      return std::nullopt;
    } catch (...) {
      return actors::exception_reason(std::current_exception());
    }
  }

  std::shared_ptr<detail::task_job> job_;
  std::optional<caf::actor_addr> caller_;
};

} // namespace

task_supervisor::task_supervisor(caf::actor_config& config, dynamic_options options)
    : dynamic_supervisor{config, std::move(options)} {}

namespace detail {

child_spec task_spec(std::shared_ptr<task_job> job, const task_options& options,
                     std::optional<caf::actor_addr> caller) {
  auto start = [job = std::move(job), caller = std::move(caller),
                detached = options.detached](actors::process& supervisor, const actors::list&) {
    auto& system = supervisor.system();
    auto child = detached ? system.spawn<task_process, caf::lazy_init + caf::detached>(job, caller)
                          : system.spawn<task_process, caf::lazy_init>(job, caller);
    return actors::process::begin(supervisor, std::move(child), true);
  };
  return {.id = "task"_a,
          .start = std::move(start),
          .restart = options.restart,
          .shutdown = options.shutdown,
          .mfargs = {.function = "task"_a}};
}

void start_task(actors::process* self, const caf::actor& supervisor, child_spec spec,
                std::function<void(const supervisor_reply&)> on_reply) {
  const auto fail = [self](const term& reason) {
    self->exit(tuple_of(reason, tuple_of("task"_a, "start_child"_a)));
  };
  if (!supervisor || !actors::process::is_alive(supervisor))
    return fail(atoms::noproc());
  actors::request_message(
    self, supervisor, caf::make_message(start_child{std::move(spec)}),
    [on_reply = std::move(on_reply)](const caf::message& answer) {
      on_reply(answer.get_as<supervisor_reply>(0));
    },
    [fail](const caf::error& error) { fail(actors::reason_from(error)); });
}

supervisor_reply start_task(caf::scoped_actor& self, const caf::actor& supervisor,
                            child_spec spec) {
  if (!supervisor || !actors::process::is_alive(supervisor))
    throw task_failed{atoms::noproc()};
  supervisor_reply result;
  actors::request_and_wait(
    self, supervisor, start_child{std::move(spec)}, std::nullopt,
    [&](supervisor_reply& reply) { result = std::move(reply); },
    [](caf::error& error) { throw task_failed{actors::reason_from(error)}; });
  return result;
}

caf::actor begin_task_of(caf::scoped_actor& self, const caf::actor& supervisor, child_spec spec) {
  auto reply = start_task(self, supervisor, std::move(spec));
  if (!reply.pid)
    throw task_failed{(*reply.result.get_if<actors::tuple>())[1]}; // `{error, Reason}`
  actors::post(reply.pid, begin_task{});
  return std::move(reply.pid);
}

} // namespace detail
} // namespace penning::supervision
