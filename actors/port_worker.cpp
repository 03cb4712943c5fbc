#include <penning/actors/port_worker.hpp>

#include <utility>

namespace penning::actors {

void worker_port::command(std::vector<char> bytes) {
  actors::send(&worker_, worker_.child_, actors::command{std::move(bytes)});
}

void worker_port::close_stdin() {
  actors::send(&worker_, worker_.child_, actors::close_stdin{});
}

std::int64_t worker_port::os_pid() const {
  return worker_.os_pid_;
}

caf::actor worker_port::self() const {
  return caf::actor{&worker_};
}

// -- what a module does that overrides nothing ----------------------------------------------------

callback_result port_module::handle_stdout(std::vector<char>) {
  return noreply{};
}

callback_result port_module::handle_stderr(std::vector<char>) {
  return noreply{};
}

callback_result port_module::handle_stdout_line(line part) {
  return handle_stdout(std::move(part.bytes));
}

callback_result port_module::handle_stderr_line(line part) {
  return handle_stderr(std::move(part.bytes));
}

callback_result port_module::handle_exit(const term& reason) {
  return stop{reason, {}};
}

callback_result port_module::handle_call(const term& request, pending_answer&) {
  return stop{tuple_of("bad_call"_a, request), {}}; // as gen_server's default does
}

callback_result port_module::handle_cast(const term& request) {
  return stop{tuple_of("bad_cast"_a, request), {}};
}

callback_result port_module::handle_info(const term&) {
  return noreply{};
}

callback_result port_module::handle_continue(const term&) {
  return noreply{};
}

void port_module::terminate(const term&) {}

// -- the worker -----------------------------------------------------------------------------------

port_worker::port_worker(caf::actor_config& config, io::child_host& host,
                         os_process_options options, module_factory make_module)
    : callback_process{config},
      host_{host},
      options_{std::move(options)},
      make_module_{std::move(make_module)},
      port_{*this} {}

start_result port_worker::init() {
  trap_exit(true);
  module_ = make_module_();
  module_->port_ = &port_;
  auto result = module_->init();
  if (std::holds_alternative<ignore>(result))
    return {start_result::kind::ignore};
  if (auto* refusal = std::get_if<stop>(&result))
    return {start_result::kind::stop, std::move(refusal->reason)};
  first_step_ = std::get<next_step>(std::move(result));
  auto program = start_link<os_process>(host_, caf::actor{this}, options_);
  child_ = std::move(program.pid);
  return program.result;
}

void port_worker::handle_ack(const caf::actor_addr&, const start_result& result) {
  acknowledge(result);
  if (result.how == start_result::kind::stop)
    return;
  os_pid_ = result.value.as<std::int64_t>().value_or(0);
  up_ = true;
  run_first(std::move(first_step_));
  for (auto& [what, from] : std::exchange(early_, {}))
    run(what, from ? &*from : nullptr);
}

caf::message_handler port_worker::receive() {
  return {
    [this](data& message) {
      run([&] { return module_->handle_stdout(std::move(message.bytes)); });
    },
    [this](error& message) {
      run([&] { return module_->handle_stderr(std::move(message.bytes)); });
    },
    [this](data_line& message) {
      run([&] { return module_->handle_stdout_line(std::move(message.line)); });
    },
    [this](error_line& message) {
      run([&] { return module_->handle_stderr_line(std::move(message.line)); });
    },
    [this](const stdin_busy& message) { take_info(tuple_of("stdin_busy"_a, message.queued)); },
    [this](stdin_ready) { take_info("stdin_ready"_a); },
    [this](const stdin_closed& message) { take_info(tuple_of("stdin_closed"_a, message.reason)); },
    [this](const stdin_refused& message) {
      take_info(tuple_of("stdin_refused"_a, message.bytes, message.reason));
    },
    [this](exited&) { os_pid_ = 0; },
    [this](call& message) -> caf::result<term> {
      auto from = answer_later();
      run_when_up([this, request = message.request,
                   from]() mutable { return module_->handle_call(request, from); },
                  from);
      return from.promise();
    },
    [this](cast& message) {
      run_when_up([this, request = message.request] { return module_->handle_cast(request); });
    },
    [this](term& message) { take_info(std::move(message)); },
  };
}

void port_worker::run_when_up(callback what, std::optional<pending_answer> from) {
  if (up_)
    run(what, from ? &*from : nullptr);
  else if (!is_stopping())
    early_.emplace_back(std::move(what), std::move(from));
}

void port_worker::take_info(term message) {
  run_when_up([this, message = std::move(message)] { return on_info(message); });
}

callback_result port_worker::on_info(const term& message) {
  return module_->handle_info(message);
}

callback_result port_worker::on_continue(const term& continuation) {
  return module_->handle_continue(continuation);
}

void port_worker::handle_exit(const caf::actor_addr& from, const term& reason) {
  if (from != child_.address())
    return callback_process::handle_exit(from, reason);
  child_ = nullptr;
  if (end_reason_)
    return exit(*end_reason_);
  run([&] { return module_->handle_exit(reason); });
  stop_with(reason);
}

void port_worker::on_stop(const term& reason) {
  module_->terminate(reason);
}

void port_worker::finish(const term& reason) {
  end_program(atoms::shutdown(), reason);
}

void port_worker::handle_kill() {
  silence();
  end_program(atoms::kill(), atoms::killed());
}

void port_worker::end_program(const term& how, const term& reason) {
  if (!child_)
    return exit(reason);
  end_reason_ = reason; // its end ends this worker
  self_ = caf::actor{this};
  exit(child_, how);
}

void port_worker::terminate(const term&) {
  early_.clear();
  module_.reset();
  child_ = nullptr;
  self_ = nullptr;
}

} // namespace penning::actors
