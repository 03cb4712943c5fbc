#pragma once

#include <penning/actors/os_process.hpp>
#include <penning/actors/process.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace penning::actors {

/// What a command that runs to its end is given, and what it may take.
struct run_options {
  std::vector<char> input{};                          ///< Its stdin, end of file after it.
  std::size_t max_output = 16UL << 20;                ///< Bytes that are kept of each stream.
  std::optional<std::chrono::milliseconds> timeout{}; ///< From its start; then it is stopped.
};

/// How a command ended, and what it wrote. Erlang: a tuple of these fields.
struct run_result {
  static constexpr auto tag = "run_result";
  io::exit_status how;
  std::vector<char> out;
  std::vector<char> err;
  bool truncated =
    false; ///< It wrote more than `max_output` to a stream: the first bytes are here.
  bool timed_out = false;
  io::resource_usage usage;
  auto fields() {
    return std::tuple{field{"how", how},
                      field{"out", out},
                      field{"err", err},
                      field{"truncated", truncated},
                      field{"timed_out", timed_out},
                      field{"usage", usage}};
  }
};

/// A command could not be run: `reason` is `{bad_option, Name, Value, Problem}`, `{Posix, Text}`,
/// or why its actor ended.
class run_error : public std::runtime_error {
 public:
  explicit run_error(term reason) : runtime_error{to_string(reason)}, reason_{std::move(reason)} {}

  const term& reason() const noexcept { return reason_; }

 private:
  term reason_;
};

/// Throws `io::option_error`: as `validate(const os_process_options&)`, and for a timeout that is
/// not from 0 to `max_delay`.
void validate(const os_process_options& command, const run_options& options);

namespace detail {
struct start_run {};
} // namespace detail

/// Runs one command to its end for whoever asks first, and ends with him. What a command writes
/// past the bound is read and dropped; one that is not done in time is stopped as `close` stops it.
/// Its `ready` is not waited for and both streams are delivered as bytes, whatever is said.
class command_run : public process {
 public:
  /// `host` outlives the actor.
  command_run(caf::actor_config& config, io::child_host& host, os_process_options command,
              run_options options);

  const char* name() const override { return "penning.command_run"; }

 protected:
  start_result init() override;
  caf::message_handler receive() override;
  void handle_ack(const caf::actor_addr& child, const start_result& result) override;
  void handle_exit(const caf::actor_addr& from, const term& reason) override;
  void handle_kill() override;
  void handle_down(const down& message) override;
  void terminate(const term& reason) override;

 private:
  caf::result<run_result> begin();
  void start();
  void keep(std::vector<char>& kept, const std::vector<char>& bytes);
  void fail(term reason);
  void end_with(const term& how, const term& reason);

  io::child_host& host_;
  os_process_options command_;
  run_options options_;
  run_result result_;
  bool ended_ = false; // `result_` says how
  std::optional<pending_answer> answer_;
  caf::actor child_; // while it runs
  std::optional<term> end_reason_;
};

/// Runs a command to its end for an actor, which is not blocked: `on_result` gets the `run_result`,
/// or `on_error` a `caf::error` whose `reason_from` is that of a `run_error`. An actor that ends
/// before takes the command with it. Source: Elixir's `System.cmd/3`.
template <class Self, class OnResult, class OnError>
void run(Self* self, io::child_host& host, os_process_options command, run_options options,
         OnResult on_result, OnError on_error) {
  auto runner =
    self->template spawn<command_run>(std::ref(host), std::move(command), std::move(options));
  actors::request(self, runner, detail::start_run{}).then(on_result, on_error);
}

/// The same for a thread that is no actor: blocks until the command has ended.
/// Throws `io::option_error` for bad options, `run_error` for a command that cannot be run.
run_result run(caf::scoped_actor& self, io::child_host& host, os_process_options command,
               run_options options = {});

} // namespace penning::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::detail::start_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::run_result)
