#include <penning/actors/callback_process.hpp>

namespace penning::actors {

void callback_process::run_first(next_step step) {
  if (!stopping_)
    proceed(noreply{std::move(step)}, nullptr);
}

void callback_process::run_before_messages(next_step step) {
  if (step.then_continue)
    post_urgent(caf::actor{this}, first_step{std::move(step)});
  else
    run_first(std::move(step));
}

void callback_process::proceed(callback_result result, pending_answer* from) {
  auto next = settle(std::move(result), from);
  while (next && next->then_continue) {
    const auto callback = [&] { return on_continue(*next->then_continue); };
    next = settle(guarded(callback), nullptr);
  }
  if (next && next->timeout)
    timeout_ = run_after(this, *next->timeout,
                         [this] { run([this] { return on_info(atoms::timeout()); }); });
}

std::optional<next_step> callback_process::settle(callback_result result, pending_answer* from) {
  if (auto* end = std::get_if<stop>(&result)) {
    stop_with(end->reason);
    if (from && end->value)
      from->deliver(std::move(*end->value));
    else if (from)
      from->fail_by_end(std::move(end->reason));
    return std::nullopt;
  }
  if (auto* answer = std::get_if<reply>(&result)) {
    if (from)
      from->deliver(std::move(answer->value));
    return std::move(answer->next);
  }
  return std::move(std::get<noreply>(result).next);
}

void callback_process::stop_with(term reason) {
  if (std::exchange(stopping_, true))
    return;
  try {
    on_stop(reason);
  } catch (...) {
    reason = exception_reason(std::current_exception());
  }
  finish(reason);
}

void callback_process::handle_exit(const caf::actor_addr& from, const term& reason) {
  if (from && from == parent())
    stop_with(reason);
  else
    take_info(tuple_of("EXIT"_a, to_pid(from), reason));
}

void callback_process::handle_down(const down& message) {
  take_info(tuple_of("DOWN"_a, message.monitor, "process"_a, to_pid(message.from), message.reason));
}

void callback_process::take_info(term message) {
  run([&] { return on_info(message); });
}

} // namespace penning::actors
