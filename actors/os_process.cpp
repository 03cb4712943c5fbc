#include <penning/actors/os_process.hpp>
#include <penning/actors/posix_name.hpp>
#include <penning/actors/ready_probe.hpp>

#include <algorithm>
#include <csignal>
#include <stdexcept>
#include <string>
#include <utility>

namespace penning::actors {

namespace {

// What the observer posts: an Asio handler never touches the actor's state.

struct child_started {
  std::shared_ptr<io::child> child;
};
struct child_failed {
  std::error_code code;
  std::string what;
};
struct child_output {
  io::output stream;
  std::vector<char> bytes;
};
struct child_wrote {
  std::size_t bytes;
};
struct child_stdin_closed {
  std::error_code reason;
};
struct child_ended {
  io::child_end end;
};
struct kill_due {};

/// Keeps the actor alive as long as its child lives, whoever else has a handle.
class observer final : public io::child_observer {
 public:
  explicit observer(caf::actor self) : self_{std::move(self)} {}

  void on_started(std::shared_ptr<io::child> child) override {
    post(self_, child_started{std::move(child)});
  }
  void on_start_failed(std::error_code code, std::string what) override {
    post(self_, child_failed{code, std::move(what)});
  }
  void on_output(io::output stream, std::vector<char> bytes) override {
    post(self_, child_output{stream, std::move(bytes)});
  }
  void on_output_closed(io::output) override {}
  void on_written(std::size_t bytes) override { post(self_, child_wrote{bytes}); }
  void on_stdin_closed(std::error_code reason) override { post(self_, child_stdin_closed{reason}); }
  void on_end(const io::child_end& end) override { post(self_, child_ended{end}); }

 private:
  caf::actor self_;
};

caf::error posix_error(std::error_code code) {
  return reason_to_error(tuple_of(posix_name(code), code.message()));
}

} // namespace

} // namespace penning::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::child_started)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::child_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::child_output)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::child_wrote)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::child_stdin_closed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::child_ended)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::kill_due)

namespace penning::actors {

void validate(const os_process_options& options) {
  io::validate(options);
  const auto delay = options.delay_to_sigkill;
  if (delay.count() < 0 || delay > max_delay)
    throw io::option_error{"delay_to_sigkill", std::to_string(delay.count()),
                           "must be from 0 to " + std::to_string(max_delay.count()) + " ms"};
  if (options.stdio_window == 0)
    throw io::option_error{"stdio_window", "0", "must be at least 1 byte"};
  if (!options.ready)
    return;
  validate(*options.ready);
  validate(from_directory(*options.ready, options.cd)); // a path may have become too long
}

term bad_option(const io::option_error& error) {
  const auto& name = error.option();
  return tuple_of("bad_option"_a, atom::valid(name) ? term{atom{name}} : term{name}, error.value(),
                  error.problem());
}

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
      options_{std::move(options)},
      out_{options_.stdio_window},
      err_{options_.stdio_window} {}

start_result os_process::init() {
  trap_exit(true);
  try {
    validate(options_);
    host_.start(options_, std::make_shared<observer>(caf::actor{this}));
  } catch (const io::option_error& error) {
    return {start_result::kind::stop, bad_option(error)};
  }
  if (!is_linked(owner_.address()))
    link(owner_);
  return {start_result::kind::pending};
}

caf::message_handler os_process::receive() {
  return {
    [this](command& message) { return write(message); },
    [this](close_stdin) {
      if (child_)
        child_->close_stdin();
      close_early_ = true;
      stdin_closed_ = std::make_error_code(std::errc::broken_pipe);
    },
    [this](os_pid) { return os_pid_reply{child_ ? child_->pid() : 0}; },
    [this](close) {
      if (!from_owner())
        return;
      closing_ = true;
      stop();
    },
    [this](connect& message) {
      if (from_owner())
        change_owner(message.owner);
    },
    [this](child_started& message) { on_started(std::move(message.child)); },
    [this](child_failed& message) { on_start_failed(message.code, message.what); },
    [this](child_output& message) { on_output(message.stream, std::move(message.bytes)); },
    [this](child_wrote& message) { on_written(message.bytes); },
    [this](child_stdin_closed& message) { on_stdin_closed(message.reason); },
    [this](child_ended& message) { on_end(message.end); },
    [this](kill_due) {
      if (child_)
        child_->signal(SIGKILL, io::signal_target::group);
    },
  };
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
  move(process_event::exec_ok);
  child_->grant(io::output::out, options_.stdio_window);
  child_->grant(io::output::err, options_.stdio_window);
  if (!options_.ready)
    on_ready();
  for (auto& bytes : std::exchange(early_, {}))
    child_->write(std::move(bytes));
  if (close_early_)
    child_->close_stdin();
  if (killed_)
    child_->signal(SIGKILL, io::signal_target::group);
  else if (state_ == process_state::stopping)
    ask_to_end();
  else if (options_.ready)
    await_readiness();
}

void os_process::on_start_failed(std::error_code code, const std::string& what) {
  move(process_event::exec_failed);
  auto reason = tuple_of(posix_name(code), what + ": " + code.message());
  acknowledge({start_result::kind::stop, reason});
  exit(std::move(reason));
}

void os_process::stop() {
  stopped_ = true;
  const bool first = state_ == process_state::running;
  move(process_event::stop);
  stop_waiting(atoms::shutdown());
  if (first)
    ask_to_end();
}

void os_process::ask_to_end() {
  child_->signal(SIGTERM, io::signal_target::leader);
  actors::send_after(this, options_.delay_to_sigkill, kill_due{});
}

void os_process::handle_exit(const caf::actor_addr& from, const term& reason) {
  if (ready_probe_ && from == ready_probe_.address())
    return on_probe_end(reason);
  const bool ours = from == owner_.address() || from == parent();
  if (from == owner_.address() && !is_linked(from)) // not a mere exit/2 of its
    owner_is_gone();
  if (ours || reason != atoms::normal())
    stop();
  finish_if_delivered();
}

void os_process::handle_kill() {
  killed_ = true;
  move(process_event::stop);
  stop_waiting(atoms::kill());
  if (child_) // else they are gone, or they are killed once they have started
    child_->signal(SIGKILL, io::signal_target::group);
}

void os_process::on_end(const io::child_end& end) {
  move(process_event::ended);
  stop_waiting(atoms::shutdown());
  child_.reset();
  end_ = end;
  end_reason_ = killed_      ? term{atoms::killed()}
                : not_ready_ ? *not_ready_
                : stopped_   ? term{atoms::shutdown()}
                             : end_reason(end.status, options_.success_exit_codes);
  on_stdin_closed(std::make_error_code(std::errc::broken_pipe));
  finish_if_delivered();
}

void os_process::finish_if_delivered() {
  if (state_ != process_state::draining || ready_probe_)
    return;
  if (!out_.empty() || !err_.empty()) {
    if (parent() != owner_.address())
      leave(parent(), end_reason_);
    return;
  }
  move(process_event::delivered);
  if (closing_)
    actors::send(this, owner_, closed{});
  actors::send(this, owner_, exited{end_.pid, end_.status, end_.usage});
  exit(end_reason_);
}

void os_process::terminate(const term&) {
  if (child_) // only where CAF's own kill has ended this actor before its child
    child_->signal(SIGKILL, io::signal_target::group);
  child_.reset();
  ready_probe_ = nullptr;
  writes_.clear();
  owner_ = nullptr;
}

// -- its readiness --------------------------------------------------------------------------------

void os_process::await_readiness() {
  if (const auto* line = std::get_if<stdout_line>(&options_.ready->check))
    ready_line_.emplace(line->text);
  else
    ready_probe_ = spawn_link<ready_probe>(host_, options_);
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
  not_ready_ = reason;
  move(process_event::stop);
  child_->signal(SIGKILL, io::signal_target::group);
}

// -- output ---------------------------------------------------------------------------------------

void os_process::on_output(io::output stream, std::vector<char> bytes) {
  if (ownerless_) {
    if (child_)
      child_->grant(stream, bytes.size());
    return;
  }
  const bool ready =
    stream == io::output::out && ready_line_ && ready_line_->feed({bytes.data(), bytes.size()});
  flow(stream).push(std::move(bytes));
  forward(stream);
  if (ready)
    on_ready();
}

void os_process::forward(io::output stream) {
  while (auto chunk = flow(stream).next()) {
    if (stream == io::output::out)
      send_output<data>(stream, std::move(*chunk));
    else
      send_output<error>(stream, std::move(*chunk));
  }
}

template <class Message>
void os_process::send_output(io::output stream, std::vector<char> bytes) {
  auto consumed = [this, stream, size = bytes.size(), owner = owner_number_] {
    if (owner != owner_number_)
      return;
    flow(stream).consumed(size);
    if (child_)
      child_->grant(stream, size);
    forward(stream);
    finish_if_delivered();
  };
  // An owner that is gone or does not understand consumes as well: nobody waits for it.
  actors::request(this, owner_, Message{std::move(bytes)})
    .then(consumed, [consumed](const caf::error&) { consumed(); });
}

// -- input ----------------------------------------------------------------------------------------

caf::result<void> os_process::write(command& message) {
  if (stdin_closed_)
    return is_request(this) ? posix_error(stdin_closed_) : no_answer<void>();
  if (message.bytes.empty())
    return is_request(this) ? caf::result<void>{} : no_answer<void>();
  std::optional<pending_answer> answer;
  if (is_request(this))
    answer.emplace(make_response_promise());
  writes_.push_back({message.bytes.size(), answer});
  if (child_)
    child_->write(std::move(message.bytes));
  else
    early_.push_back(std::move(message.bytes));
  return answer ? answer->promise() : no_answer<void>();
}

void os_process::on_written(std::size_t bytes) {
  while (!writes_.empty() && writes_.front().bytes <= bytes) {
    bytes -= writes_.front().bytes;
    if (auto& answer = writes_.front().answer)
      answer->deliver(caf::unit);
    writes_.pop_front();
  }
  if (!writes_.empty())
    writes_.front().bytes -= bytes;
}

void os_process::on_stdin_closed(std::error_code reason) {
  stdin_closed_ = reason;
  for (auto& write : std::exchange(writes_, {}))
    if (write.answer)
      write.answer->deliver(posix_error(reason));
}

// -- the owner ------------------------------------------------------------------------------------

bool os_process::from_owner() {
  return caf::actor_cast<caf::actor_addr>(current_sender()) == owner_.address();
}

void os_process::owner_is_gone() {
  ownerless_ = true;
  ++owner_number_;
  for (const auto stream : {io::output::out, io::output::err}) {
    flow(stream) = output_flow{options_.stdio_window};
    if (child_)
      child_->grant(stream, options_.stdio_window); // so that no write keeps it from ending
  }
}

void os_process::change_owner(const caf::actor& owner) {
  if (!owner || owner == owner_)
    return;
  auto former = std::exchange(owner_, owner);
  link(owner_);
  ++owner_number_;
  for (const auto stream : {io::output::out, io::output::err}) {
    const auto freed = flow(stream).forget_unconsumed(); // the former owner's affair
    if (child_ && freed > 0)
      child_->grant(stream, freed);
    forward(stream);
  }
  actors::send(this, former, connected{});
  if (former.address() != parent())
    unlink(former);
  finish_if_delivered();
}

} // namespace penning::actors
