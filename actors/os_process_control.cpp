// What an OS process is told and asked: to end, signals, its window, how it is.

#include <penning/actors/os_process.hpp>
#include <penning/actors/os_process_observer.hpp>
#include <penning/io/process_usage.hpp>

#include <csignal>
#include <string>
#include <utility>

namespace penning::actors {

// -- to end ---------------------------------------------------------------------------------------

void os_process::stop() {
  if (!cause_)
    cause_ = atoms::shutdown();
  const bool first = state_ == process_state::running;
  move(process_event::stop);
  stop_waiting(atoms::shutdown());
  if (first)
    ask_to_end();
}

void os_process::ask_to_end() {
  if (ending_.stop_command)
    run_stop_command();
  else
    send_stop_signal();
  run_after(this, ending_.delay_to_sigkill, [this] {
    if (child_)
      child_->signal(SIGKILL, io::signal_target::group);
  });
}

/// A terminal that hangs up sends SIGCONT itself, see tty_ioctl(4).
void os_process::send_stop_signal() {
  if (ending_.stop_signal == 0)
    return child_->hang_up();
  child_->signal(ending_.stop_signal, io::signal_target::leader);
  child_->signal(SIGCONT, io::signal_target::leader);
}

void os_process::run_stop_command() {
  auto options = std::move(*ending_.stop_command);
  options.env.emplace_back("MAINPID", std::to_string(child_->pid()));
  stop_command_ = spawn_link<os_process>(host_, caf::actor{this}, std::move(options));
  actors::send(this, stop_command_, close_stdin{});
}

void os_process::on_stop_command_end(const term& reason) {
  stop_command_ = nullptr;
  if (reason != atoms::normal() && state_ == process_state::stopping)
    send_stop_signal();
  finish_if_delivered();
}

// -- orders ---------------------------------------------------------------------------------------

caf::result<void> os_process::send_signal(const term& which) {
  const auto number = signal_number(which);
  if (!number)
    return answer(request_error(tuple_of("bad_signal"_a, which)));
  if (!leader())
    return answer(posix_error(std::make_error_code(std::errc::no_such_process)));
  child_->signal(*number, io::signal_target::leader);
  return answer({});
}

caf::result<void> os_process::resize(const window_size& size) {
  if (!child_)
    return answer(posix_error(std::make_error_code(std::errc::no_such_process)));
  if (!ending_.has_pty)
    return answer(posix_error(std::make_error_code(std::errc::inappropriate_io_control_operation)));
  child_->resize({.rows = size.rows, .columns = size.columns});
  return answer({});
}

/// To a request only: 0.17 would send an error to anybody.
caf::result<void> os_process::answer(const caf::error& error) {
  if (!is_request(this))
    return no_answer<void>();
  return error ? caf::result<void>{error} : caf::result<void>{};
}

// -- questions ------------------------------------------------------------------------------------

namespace {

term to_term(const io::cgroup_statistics& used) {
  map known;
  const auto add = [&](atom name, const auto& value) {
    if (value)
      known = known.with(name, *value);
  };
  const auto microseconds = [](const auto& time) {
    return time ? std::optional{time->count()} : std::nullopt;
  };
  add("memory"_a, used.memory);
  add("memory_peak"_a, used.memory_peak);
  add("user"_a, microseconds(used.user));
  add("system"_a, microseconds(used.system));
  add("pids"_a, used.pids);
  add("oom_kills"_a, used.oom_kills);
  return known;
}

} // namespace

std::chrono::milliseconds os_process::uptime() {
  using std::chrono::milliseconds;
  return child_ ? std::chrono::duration_cast<milliseconds>(clock().now() - started_) : uptime_;
}

caf::result<info_reply> os_process::describe() {
  if (!is_request(this))
    return no_answer<info_reply>();
  info_reply result{.state = to_atom(state_),
                    .uptime = uptime().count(),
                    .stdin_bytes = input_.total(),
                    .stdin_queued = input_.bound().queued(),
                    .stdout_bytes = out_bytes_,
                    .stderr_bytes = err_bytes_,
                    .restarts = ending_.restarts,
                    .usage = end_.usage,
                    .cgroup = to_term(child_ ? child_->statistics() : io::cgroup_statistics{})};
  if (child_)
    result.containment = io::to_string(child_->contained_by());
  if (!leader())
    return result;
  result.os_pid = leader();
  result.usage = io::usage_of(leader(), started_ticks_).value_or(io::resource_usage{});
  return result;
}

} // namespace penning::actors
