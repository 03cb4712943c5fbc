#include <penning/actors/run.hpp>
#include <penning/actors/timer.hpp>

#include <algorithm>
#include <utility>

namespace penning::actors {

void validate(const os_process_options& command, const run_options& options) {
  validate(command);
  const auto timeout = options.timeout.value_or(std::chrono::milliseconds{0});
  if (timeout.count() < 0 || timeout > max_delay)
    throw io::option_error{"timeout", std::to_string(timeout.count()),
                           "must be from 0 to " + std::to_string(max_delay.count()) + " ms"};
}

command_run::command_run(caf::actor_config& config, io::child_host& host,
                         os_process_options command, run_options options)
    : process{config},
      host_{host},
      command_{std::move(command)},
      options_{std::move(options)} {
  command_.ready.reset();
  command_.stdout_delivery = command_.stderr_delivery = {};
}

start_result command_run::init() {
  trap_exit(true);
  return {};
}

caf::message_handler command_run::receive() {
  return {
    [this](detail::start_run) { return begin(); },
    [this](const data& message) { keep(result_.out, message.bytes); },
    [this](const error& message) { keep(result_.err, message.bytes); },
    [this](const exited& message) {
      result_.how = message.how;
      result_.usage = message.usage;
      ended_ = true;
    },
  };
}

caf::result<run_result> command_run::begin() {
  if (answer_ || !is_request(this))
    return no_answer<run_result>();
  if (const auto caller = caf::actor_cast<caf::actor>(current_sender())) // not after the promise
    monitor(caller);
  pending_answer answer{make_response_promise()};
  answer_ = answer;
  start();
  return answer.promise();
}

void command_run::start() {
  try {
    validate(command_, options_);
  } catch (const io::option_error& error) {
    return fail(bad_option(error));
  }
  auto started = start_link<os_process>(host_, caf::actor{this}, command_);
  child_ = std::move(started.pid);
  if (!child_)
    return fail(started.result.value);
  actors::send(this, child_, command{std::move(options_.input)});
  actors::send(this, child_, close_stdin{});
  if (options_.timeout)
    run_after(this, *options_.timeout, [this] {
      result_.timed_out = true;
      exit(child_, atoms::shutdown());
    });
}

void command_run::keep(std::vector<char>& kept, const std::vector<char>& bytes) {
  const auto size = std::min(bytes.size(), options_.max_output - kept.size());
  kept.insert(kept.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
  result_.truncated = result_.truncated || size < bytes.size();
}

void command_run::handle_ack(const caf::actor_addr&, const start_result& result) {
  if (result.how != start_result::kind::stop)
    return;
  child_ = nullptr;
  fail(result.value);
}

void command_run::fail(term reason) {
  answer_->fail(std::move(reason));
  exit(end_reason_.value_or(atoms::normal()));
}

void command_run::handle_exit(const caf::actor_addr& from, const term& reason) {
  if (!child_ || from != child_.address()) {
    if (reason != atoms::normal())
      end_with(atoms::shutdown(), reason);
    return;
  }
  child_ = nullptr;
  if (!ended_)
    return fail(reason);
  answer_->deliver(std::move(result_));
  exit(end_reason_.value_or(atoms::normal()));
}

void command_run::handle_kill() {
  end_with(atoms::kill(), atoms::killed());
}

void command_run::handle_down(const down&) {
  end_with(atoms::shutdown(), atoms::normal());
}

void command_run::end_with(const term& how, const term& reason) {
  if (!child_)
    return exit(reason);
  end_reason_ = reason; // its end ends this one
  exit(child_, how);
}

void command_run::terminate(const term&) {
  answer_.reset();
  child_ = nullptr;
}

run_result run(caf::scoped_actor& self, io::child_host& host, os_process_options command,
               run_options options) {
  validate(command, options);
  auto runner = self->spawn<command_run>(std::ref(host), std::move(command), std::move(options));
  run_result result;
  request_and_wait(
    self, runner, detail::start_run{}, std::nullopt,
    [&](run_result& given) { result = std::move(given); },
    [](const caf::error& error) { throw run_error{reason_from(error)}; });
  return result;
}

} // namespace penning::actors
