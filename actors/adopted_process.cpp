#include <penning/actors/adopted_process.hpp>
#include <penning/actors/os_process.hpp>
#include <penning/actors/posix_name.hpp>
#include <penning/io/process_group.hpp>
#include <penning/io/process_usage.hpp>

#include <csignal>
#include <string>
#include <unistd.h>
#include <utility>

namespace penning::actors {

namespace {

/// What the watch posts: an Asio handler never touches the actor's state.
struct adopted_ended {
  std::optional<io::exit_status> how;
};

tuple posix_reason(std::error_code code) {
  return tuple_of(posix_name(code), code.message());
}

} // namespace

} // namespace penning::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::adopted_ended)

namespace penning::actors {

void validate(const adopt_options& options) {
  if (options.pid <= 0 || options.pid == ::getpid())
    throw io::option_error{"os_pid", std::to_string(options.pid),
                           "must be that of another process"};
  validate_delay_to_sigkill(options.delay_to_sigkill);
  validate_stop_signal(options.stop_signal);
}

adopted_process::adopted_process(caf::actor_config& config, io::context& io, caf::actor owner,
                                 adopt_options options)
    : process{config},
      io_{io},
      owner_{std::move(owner)},
      options_{std::move(options)} {}

start_result adopted_process::init() {
  trap_exit(true);
  try {
    validate(options_);
  } catch (const io::option_error& error) {
    return {start_result::kind::stop, bad_option(error)};
  }
  return hold();
}

start_result adopted_process::hold() {
  std::error_code error;
  held_ = io::adopted::hold(io_.asio(), options_.pid, options_.start_time, error);
  if (!held_)
    return {start_result::kind::stop, posix_reason(error)};
  adopted_at_ = io::ticks_since_boot();
  held_->watch([self = caf::actor{this}](std::optional<io::exit_status> how) {
    post(self, adopted_ended{how});
  });
  if (!is_linked(owner_.address()))
    link(owner_);
  return {start_result::kind::ok, options_.pid};
}

caf::message_handler adopted_process::receive() {
  return {
    [this](const signal& message) { return send_signal(message.which); },
    [this](const command&) { return refuse(std::errc::bad_file_descriptor); },
    [](close_stdin) {},
    [this](const window_size&) { return refuse(std::errc::inappropriate_io_control_operation); },
    [this](os_pid) { return os_pid_reply{options_.pid}; },
    [this](info) { return describe(); },
    [this](close) {
      if (caf::actor_cast<caf::actor_addr>(current_sender()) != owner_.address())
        return;
      closing_ = true;
      stop();
    },
    [this](const adopted_ended& message) { on_end(message.how); },
  };
}

// -- its end --------------------------------------------------------------------------------------

void adopted_process::handle_exit(const caf::actor_addr& from, const term& reason) {
  if (from == owner_.address() || from == parent() || reason != atoms::normal())
    stop();
}

void adopted_process::handle_kill() {
  cause_ = atoms::killed();
  kill();
}

void adopted_process::stop() {
  if (cause_)
    return;
  cause_ = atoms::shutdown();
  const auto number = signal_number(options_.stop_signal.value_or(SIGTERM));
  if (!try_signal(number.value()) || !try_signal(SIGCONT))
    return;
  run_after(this, options_.delay_to_sigkill, [this] { kill(); });
}

void adopted_process::kill() {
  try_signal(SIGKILL);
}

/// One that has ended already will tell so; another that cannot be signalled is let go.
bool adopted_process::try_signal(int number) {
  const auto error = held_->signal(number);
  if (error && error != std::errc::no_such_process)
    exit(posix_reason(error));
  return !error;
}

void adopted_process::on_end(const std::optional<io::exit_status>& how) {
  const auto status = how.value_or(io::exit_status{io::exit_status::kind::signal, 0, false});
  if (closing_)
    actors::send(this, owner_, closed{});
  actors::send(this, owner_, exited{options_.pid, status, {}});
  exit(cause_.value_or(end_reason(status, options_.success_exit_codes)));
}

void adopted_process::terminate(const term&) {
  if (held_)
    held_->let_go();
  held_.reset();
  owner_ = nullptr;
}

// -- orders and questions -------------------------------------------------------------------------

caf::result<void> adopted_process::send_signal(const term& which) {
  const auto number = signal_number(which);
  const auto error = number ? held_->signal(*number) : std::error_code{};
  if (!is_request(this))
    return no_answer<void>();
  if (!number)
    return request_error(tuple_of("bad_signal"_a, which));
  return error ? caf::result<void>{posix_error(error)} : caf::result<void>{};
}

/// What it has not got: no stream, no terminal.
caf::result<void> adopted_process::refuse(std::errc reason) {
  if (!is_request(this))
    return no_answer<void>();
  return posix_error(std::make_error_code(reason));
}

info_reply adopted_process::describe() {
  const auto ticks = io::ticks_since_boot() - held_->start();
  return {.state = cause_ ? "stopping"_a : "running"_a,
          .os_pid = options_.pid,
          .uptime = static_cast<std::int64_t>(ticks * 1000 / io::ticks_per_second()),
          .containment = "none",
          .usage = io::usage_of(options_.pid, adopted_at_).value_or(io::resource_usage{})};
}

} // namespace penning::actors
