#pragma once

#include <penning/actors/callback_process.hpp>
#include <penning/actors/os_process.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace penning::actors {

class port_worker;

/// What a callback module can do with the worker that runs it.
class worker_port {
 public:
  explicit worker_port(port_worker& worker) : worker_{worker} {}

  /// Bytes for the program's stdin.
  void command(std::vector<char> bytes);
  /// End of file on its stdin.
  void close_stdin();
  /// The pid of the program; 0 after its end.
  std::int64_t os_pid() const;
  /// The worker itself, for others to send to.
  caf::actor self() const;

 private:
  port_worker& worker_;
};

/// A callback module for one OS program, as ProtonStream has it for Elixir: override what you need.
///
/// The callbacks run one at a time; what they throw ends the worker. While `handle_stdout` or
/// `handle_stderr` has not returned, at most a window of further output is read.
class port_module {
 public:
  virtual ~port_module() = default;

  /// Before the program is started, which it is unless this says `ignore` or `stop`.
  virtual init_result init() { return {}; }

  virtual callback_result handle_stdout(std::vector<char> bytes);
  virtual callback_result handle_stderr(std::vector<char> bytes);

  /// The same where the stream is delivered by lines or records. Without an override a line, or a
  /// piece of one, is handled like bytes, its delimiter gone.
  virtual callback_result handle_stdout_line(line part);
  virtual callback_result handle_stderr_line(line part);

  /// The program has ended, after all of its output. Anything but `stop` stops with `reason`, since
  /// there is nothing left to work on.
  virtual callback_result handle_exit(const term& reason);

  /// A `call`. Without a `reply` the caller waits for `from`, which may be kept and answered later.
  virtual callback_result handle_call(const term& request, pending_answer& from);
  virtual callback_result handle_cast(const term& request);

  /// Any other term, `timeout`, `{'EXIT', Pid, Reason}` of other linked processes, and what becomes
  /// of stdin: `{stdin_busy, Bytes}`, `stdin_ready`, `{stdin_closed, Reason}`, `{stdin_refused,
  /// Bytes, Reason}`, see those messages.
  virtual callback_result handle_info(const term& message);
  virtual callback_result handle_continue(const term& continuation);

  /// Before the worker ends, while the program may still run.
  virtual void terminate(const term& reason);

 protected:
  worker_port& port() noexcept { return *port_; }

 private:
  friend class port_worker;
  worker_port* port_ = nullptr;
};

/// Makes the callback module of a worker that starts: a fresh one each time.
using module_factory = std::function<std::unique_ptr<port_module>()>;

/// Runs a callback module: the owner of one OS process, and with it one worker for a supervisor.
///
/// Its start is acknowledged when the program runs. However it ends, the program's processes are
/// gone before its own end is told, so a restarted worker finds its port free.
class port_worker : public callback_process {
 public:
  port_worker(caf::actor_config& config, io::child_host& host, os_process_options options,
              module_factory make_module);

  const char* name() const override { return "penning.port_worker"; }

 protected:
  start_result init() override;
  caf::message_handler receive() override;
  void handle_ack(const caf::actor_addr& child, const start_result& result) override;
  void handle_exit(const caf::actor_addr& from, const term& reason) override;
  void handle_kill() override;
  void terminate(const term& reason) override;

  callback_result on_info(const term& message) override;
  callback_result on_continue(const term& continuation) override;
  void on_stop(const term& reason) override;
  void finish(const term& reason) override;
  void take_info(term message) override;

 private:
  friend class worker_port;

  using callback = std::function<callback_result()>;

  void run_when_up(callback what, std::optional<pending_answer> from = {});
  void end_program(const term& how, const term& reason);

  io::child_host& host_;
  os_process_options options_;
  module_factory make_module_;
  std::unique_ptr<port_module> module_;
  worker_port port_;
  next_step first_step_;
  caf::actor child_;
  std::int64_t os_pid_ = 0;
  bool up_ = false;
  std::vector<std::pair<callback, std::optional<pending_answer>>> early_; // came before it was up
  std::optional<term> end_reason_; // while its program ends before it
  caf::actor self_;                // meanwhile: nobody else may hold it any more
};

} // namespace penning::actors
