#include <penning/actors/port_worker.hpp>

#include <utility>

namespace penning::actors {

namespace {

/// Counts only while no other message has come since.
struct timeout_due {
  std::uint64_t number;
};

} // namespace

} // namespace penning::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::timeout_due)

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
    : process{config},
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
  child_ = start_link<os_process>(host_, caf::actor{this}, options_);
  return {start_result::kind::pending};
}

void port_worker::handle_ack(const caf::actor_addr&, const term& result) {
  if (result.is_tuple("error", 2))
    return acknowledge({start_result::kind::stop, result.get_if<tuple>()->elements()[1]});
  os_pid_ = result.get_if<tuple>()->elements()[1].as<std::int64_t>().value_or(0);
  acknowledge({start_result::kind::ok, os_pid_});
  up_ = true;
  run([this] { return noreply{first_step_}; });
  for (auto& [what, from] : std::exchange(early_, {}))
    run(what, std::move(from));
}

caf::message_handler port_worker::receive() {
  return {
    [this](data& message) {
      run([&] { return module_->handle_stdout(std::move(message.bytes)); });
    },
    [this](error& message) {
      run([&] { return module_->handle_stderr(std::move(message.bytes)); });
    },
    [this](exited&) { os_pid_ = 0; },
    [this](call& message) -> caf::result<term> {
      pending_answer from{make_response_promise()};
      run([this, request = message.request,
           from]() mutable { return module_->handle_call(request, from); },
          from);
      return from.promise();
    },
    [this](cast& message) {
      run([this, request = message.request] { return module_->handle_cast(request); });
    },
    [this](timeout_due due) {
      if (due.number == timeout_)
        run([this] { return module_->handle_info(atoms::timeout()); });
    },
    [this](term& message) { run([this, message] { return module_->handle_info(message); }); },
  };
}

void port_worker::run(const callback& what, std::optional<pending_answer> from) {
  if (stopping_)
    return;   // the module has been told `terminate` already
  if (!up_) { // there is no output yet, so `what` owns all that it uses
    early_.emplace_back(what, std::move(from));
    return;
  }
  ++timeout_; // any message takes back the timeout
  auto next = settle(guarded(what), std::move(from));
  while (next && next->then_continue)
    next = settle(guarded([&] { return module_->handle_continue(*next->then_continue); }), {});
  if (next && next->timeout)
    actors::send_after(this, *next->timeout, timeout_due{timeout_});
}

callback_result port_worker::guarded(const callback& what) {
  try {
    return what();
  } catch (...) {
    return stop{exception_reason(std::current_exception()), {}};
  }
}

std::optional<next_step> port_worker::settle(callback_result result,
                                             std::optional<pending_answer> from) {
  if (auto* end = std::get_if<stop>(&result)) {
    if (from && end->value)
      from->deliver(std::move(*end->value));
    else if (from)
      from->fail(end->reason);
    stop_with(std::move(end->reason));
    return std::nullopt;
  }
  if (auto* answer = std::get_if<reply>(&result)) {
    if (from)
      from->deliver(std::move(answer->value));
    return std::move(answer->next);
  }
  return std::move(std::get<noreply>(result).next);
}

void port_worker::handle_exit(const caf::actor_addr& from, const term& reason) {
  if (from == parent())
    return stop_with(reason);
  if (from != child_.address())
    return run([&] { return module_->handle_info(tuple_of("EXIT"_a, to_pid(from), reason)); });
  child_ = nullptr;
  if (stopping_)
    return exit(stop_reason_);
  run([&] { return module_->handle_exit(reason); });
  stop_with(reason);
}

void port_worker::stop_with(term reason) {
  if (std::exchange(stopping_, true))
    return;
  stop_reason_ = std::move(reason);
  self_ = caf::actor{this};
  try {
    module_->terminate(stop_reason_);
  } catch (...) {
    stop_reason_ = exception_reason(std::current_exception());
  }
  if (child_)
    exit(child_, atoms::shutdown()); // its end ends this worker
  else
    exit(stop_reason_);
}

void port_worker::handle_kill() {
  stopping_ = true;
  stop_reason_ = atoms::killed();
  self_ = caf::actor{this};
  if (child_)
    exit(child_, atoms::kill());
  else
    exit(stop_reason_);
}

void port_worker::terminate(const term&) {
  early_.clear();
  module_.reset();
  child_ = nullptr;
  self_ = nullptr;
}

} // namespace penning::actors
