#include <penning/actors/os_process.hpp>
#include <penning/actors/os_process_observer.hpp>
#include <penning/actors/posix_name.hpp>
#include <penning/actors/ready_probe.hpp>
#include <penning/io/process_group.hpp>

#include <algorithm>
#include <csignal>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace penning::actors {
namespace {

template <class... Functions>
struct overloaded : Functions... {
  using Functions::operator()...;
};

} // namespace

term end_reason(const io::exit_status& status, const std::vector<int>& success_exit_codes) {
  if (status.how == io::exit_status::kind::signal)
    return tuple_of("signal"_a, status.code);
  const bool success =
    status.code == 0
    || std::ranges::find(success_exit_codes, status.code) != success_exit_codes.end();
  return success ? term{atoms::normal()} : tuple_of("exit_status"_a, status.code);
}

os_process::os_process(caf::actor_config& config, io::child_host& host, caf::actor owner,
                       os_process_options options)
    : process{config},
      host_{host},
      owner_{std::move(owner)},
      options_{std::make_unique<os_process_options>(std::move(options))},
      input_{{options_->stdin_window.value_or(options_->stdio_window), options_->stdin_limit}},
      out_{options_->stdout_window.value_or(options_->stdio_window), options_->stdout_delivery},
      err_{options_->stderr_window.value_or(options_->stdio_window), options_->stderr_delivery} {}

os_process::ending os_process::ending_of(const os_process_options& options) {
  const bool hangs_up = options.pty && !options.stop_signal;
  ending result{.delay_to_sigkill = options.delay_to_sigkill,
                .success_exit_codes = options.success_exit_codes,
                .stop_signal =
                  hangs_up ? 0 : signal_number(options.stop_signal.value_or(SIGTERM)).value(),
                .restarts = options.restarts,
                .has_pty = options.pty.has_value()};
  if (options.stop_command)
    result.stop_command =
      std::make_unique<os_process_options>(options_of_helper(options, *options.stop_command));
  return result;
}

start_result os_process::init() {
  trap_exit(true);
  try {
    validate(*options_);
    ending_ = ending_of(*options_);
    const bool has_lines = out_.has_lines() || err_.has_lines();
    auto observer = std::make_shared<os_process_observer>(caf::actor{this}, out_.window(),
                                                          err_.window(), has_lines);
    if (options_->ready)
      host_.start(*options_, std::move(observer));
    else
      host_.start(std::move(*std::exchange(options_, nullptr)), std::move(observer));
  } catch (const io::option_error& error) {
    return {start_result::kind::stop, bad_option(error)};
  }
  if (!is_linked(owner_.address()))
    link(owner_);
  return {start_result::kind::pending};
}

caf::message_handler os_process::receive() {
  static const caf::message_handler shared = make_handlers();
  return shared;
}

/// Of whichever process handles a message.
caf::message_handler os_process::make_handlers() {
  constexpr auto self = [] { return static_cast<os_process*>(&current()); };
  return {
    [self](command& message) { return self()->write(message); },
    [self](close_stdin) { self()->input_.close(); },
    [self](const signal& message) { return self()->send_signal(message.which); },
    [self](const window_size& message) { return self()->resize(message); },
    [self](os_pid) { return os_pid_reply{self()->leader()}; },
    [self](info) { return self()->describe(); },
    [self](close) { self()->close_for_owner(); },
    [self](connect& message) { self()->connect_for_owner(message.owner); },
    [self](child_event& event) { self()->on_event(event); },
  };
}

void os_process::on_event(child_event& event) {
  const overloaded handle{
    [this](child_started& it) { on_started(std::move(it.child)); },
    [this](child_failed& it) { on_start_failed(it.code, it.what); },
    [this](child_output& it) { on_output(it.stream, std::move(it.bytes)); },
    [this](child_output_closed& it) { on_output_closed(it.stream); },
    [this](child_wrote& it) { tell(input_.written(it.bytes)); },
    [this](child_stdin_closed& it) { on_stdin_closed(it.reason); },
    [this](child_leader_ended& it) { on_leader_end(it.end); },
    [this](child_ended& it) { on_end(it.end); },
  };
  std::visit(handle, event.what);
}

// -- the child's life -----------------------------------------------------------------------------

void os_process::move(process_event event) {
  const auto to = next(state_, event);
  if (!to)
    throw std::logic_error{"os_process: an event that cannot be"};
  state_ = *to;
}

void os_process::on_started(std::shared_ptr<io::child> child) {
  child_ = std::move(child);
  started_ = clock().now();
  started_ticks_ = io::ticks_since_boot();
  move(process_event::exec_ok);
  const auto options = std::exchange(options_, nullptr);
  if (!options)
    on_ready();
  input_.open(child_);
  if (state_ == process_state::killing)
    child_->signal(SIGKILL, io::signal_target::group);
  else if (state_ == process_state::stopping)
    ask_to_end();
  else if (options)
    await_readiness(*options);
}

void os_process::on_start_failed(std::error_code code, const std::string& what) {
  move(process_event::exec_failed);
  auto reason = tuple_of(posix_name(code), what + ": " + code.message());
  acknowledge({start_result::kind::stop, reason});
  exit(std::move(reason));
}

void os_process::handle_exit(const caf::actor_addr& from, const term& reason) {
  if (ready_probe_ && from == ready_probe_.address())
    return on_probe_end(reason);
  if (stop_command_ && from == stop_command_.address())
    return on_stop_command_end(reason);
  const bool is_owner = owner_ && from == owner_.address();
  const bool is_ours = is_owner || from == parent();
  if (is_owner && !is_linked(from)) // not a mere exit/2 of its
    owner_is_gone();
  if (is_ours || reason != atoms::normal())
    stop();
  finish_if_delivered();
}

void os_process::handle_kill() {
  cause_ = atoms::killed();
  move(process_event::kill);
  stop_waiting(atoms::kill());
  if (child_) // else they are gone, or they are killed once they have started
    child_->signal(SIGKILL, io::signal_target::group);
}

void os_process::on_leader_end(const io::child_end& end) {
  end_is_told_ = true;
  end_ = end;
  stop_waiting(atoms::shutdown());
  input_.end();
  if (owner_)
    actors::send(this, owner_, exited{end.pid, end.status, end.usage});
}

void os_process::on_end(const io::child_end& end) {
  move(process_event::ended);
  stop_waiting(atoms::shutdown());
  if (stop_command_)
    exit(stop_command_, atoms::kill());
  uptime_ = uptime();
  child_.reset();
  input_.end();
  end_ = end;
  end_reason_ = cause_.value_or(end_reason(end.status, ending_.success_exit_codes));
  on_output_closed(io::output::out);
  on_output_closed(io::output::err);
  finish_if_delivered();
}

void os_process::finish_if_delivered() {
  if (state_ != process_state::draining || ready_probe_ || stop_command_)
    return;
  if (!out_.empty() || !err_.empty()) {
    if (parent() != owner_.address())
      leave(parent(), end_reason_);
    return;
  }
  move(process_event::delivered);
  if (owner_) {
    if (closing_)
      actors::send(this, owner_, closed{});
    if (!end_is_told_)
      actors::send(this, owner_, exited{end_.pid, end_.status, end_.usage});
  }
  exit(end_reason_);
}

void os_process::terminate(const term&) {
  if (child_) // only where CAF's own kill has ended this actor before its child
    child_->signal(SIGKILL, io::signal_target::group);
  child_.reset();
  input_ = os_process_input{{0, 0}}; // who waits is told `noproc`
  ready_probe_ = stop_command_ = nullptr;
  owner_ = nullptr;
}

// -- its readiness --------------------------------------------------------------------------------

void os_process::await_readiness(const os_process_options& options) {
  if (const auto* line = std::get_if<stdout_line>(&options.ready->check))
    ready_line_ = std::make_unique<line_watch>(line->text);
  else
    ready_probe_ = spawn_link<ready_probe>(host_, options);
}

void os_process::stop_waiting(const term& how) {
  ready_line_.reset();
  if (ready_probe_)
    exit(ready_probe_, how);
}

void os_process::on_ready() {
  ready_line_.reset();
  acknowledge({start_result::kind::ok, child_->pid()});
}

void os_process::on_probe_end(const term& reason) {
  ready_probe_ = nullptr;
  if (state_ != process_state::running)
    return finish_if_delivered();
  if (reason == atoms::normal())
    return on_ready();
  cause_ = reason;
  move(process_event::kill);
  child_->signal(SIGKILL, io::signal_target::group);
}

} // namespace penning::actors
