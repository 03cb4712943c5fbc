#include <penning/supervision/task.hpp>

#include <penning/supervision/messages.hpp>

namespace penning::supervision {

using namespace actors::literals;
using actors::tuple_of;
namespace atoms = actors::atoms;

task_failed::task_failed(term why)
    : std::runtime_error{"task: " + to_string(why)},
      reason{std::move(why)} {}

namespace detail {

void open_task::start(const caf::actor& supervisor, child_spec spec) {
  if (!supervisor || !actors::process::is_alive(supervisor))
    return refuse(atoms::noproc());
  const auto me = shared_from_this();
  const auto waiting = std::make_shared<callback>();
  waiting_ = waiting;
  actors::request_message(
    self_, supervisor, caf::make_message(start_child{std::move(spec)}),
    [me, waiting](const caf::message& answer) {
      const auto& reply = answer.get_as<supervisor_reply>(0);
      if (reply.pid)
        me->on_started(reply.pid, waiting);
      else
        me->refuse((*reply.result.get_if<actors::tuple>())[1]); // `{error, Reason}`
    },
    [me, waiting](const caf::error& error) { me->refuse(actors::reason_from(error)); });
}

/// In Elixir `async` raises an exception.
void open_task::refuse(const term& reason) {
  if (linked_)
    self_->exit(tuple_of(reason, tuple_of("task"_a, "async"_a)));
  else
    end(reason);
}

void open_task::on_started(const caf::actor& pid, const place& waiting) {
  pid_ = pid;
  if (linked_)
    self_->link(pid_);
  const auto me = shared_from_this();
  actors::request_message(
    self_, pid_, caf::make_message(begin_task{}),
    [me, waiting](const caf::message&) { me->end(std::nullopt); },
    [me, waiting](const caf::error& error) { me->end(actors::reason_from(error)); });
  if (told_)
    send_shutdown();
}

void open_task::end(std::optional<term> failure) {
  ended_ = true;
  failure_ = std::move(failure);
  pid_ = nullptr;
  actors::cancel_timer(self_, timer_);
  call_back();
}

/// Leaves the callback where the end will find it, or makes it follow at once.
void open_task::expect(callback call) {
  const auto waiting = waiting_.lock();
  if (waiting && *waiting)
    throw std::logic_error{"task: it is being waited for already"};
  if (taken_)
    throw std::logic_error{"task: its end has been told already"};
  taken_ = ended_;
  if (ended_)
    actors::run_after(self_, {}, [me = shared_from_this(), call = std::move(call)] { call(); });
  else if (waiting)
    *waiting = std::move(call);
}

void open_task::wait(call_timeout timeout, callback call) {
  expect(std::move(call));
  if (timeout && !ended_)
    timer_ = actors::run_after(self_, *timeout, [me = shared_from_this()] { me->call_back(); });
}

void open_task::shut_down(callback call) {
  expect(std::move(call));
  told_ = true;
  if (pid_)
    send_shutdown();
}

void open_task::send_shutdown() {
  if (linked_)
    self_->unlink(pid_);
  self_->exit(pid_, atoms::shutdown());
}

void open_task::call_back() {
  const auto waiting = waiting_.lock();
  if (!waiting || !*waiting)
    return;
  taken_ = ended_;
  std::exchange(*waiting, nullptr)();
}

void open_task::fail_await(const term& reason, call_timeout timeout) {
  const auto time = timeout ? term{timeout->count()} : term{atoms::infinity()};
  self_->exit(tuple_of(reason, tuple_of("task"_a, "await"_a, time)));
}

} // namespace detail
} // namespace penning::supervision
