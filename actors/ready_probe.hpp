#pragma once

#include <penning/actors/os_process.hpp>
#include <penning/actors/process.hpp>
#include <penning/io/connect_attempt.hpp>

#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace penning::actors {

/// The readiness with its paths as they are from the caller's own directory; `cd` may be empty. A
/// command is left alone: it is started in `cd`.
readiness from_directory(readiness ready, const std::string& cd);

/// Makes the attempts at one check, for the OS process that it is linked to, and ends `normal` once
/// one has passed: the first at once, each other after the interval. An error that may pass, such
/// as a port that refuses or a program of which no descriptor is left, means another attempt.
///
/// Ends with `{not_ready, Reason}` where no attempt can ever pass: Reason is `{Posix, Text}` for a
/// command that cannot be executed, an address whose family this system has not, or a path that is
/// too long. Its parent's end, or an exit signal of it, ends it, after its command: that one is
/// stopped as the process itself is, and killed if the probe is.
class ready_probe : public process {
 public:
  /// A check of `of.ready` that is no `stdout_line`. `host` outlives the actor.
  ready_probe(caf::actor_config& config, io::child_host& host, const os_process_options& of);

  const char* name() const override { return "penning.ready_probe"; }

 protected:
  start_result init() override;
  caf::message_handler receive() override { return {}; }
  void handle_ack(const caf::actor_addr& child, const start_result& result) override;
  void handle_exit(const caf::actor_addr& from, const term& reason) override;
  void handle_kill() override;
  void terminate(const term& reason) override;

 private:
  void attempt();
  bool look();
  std::error_code outcome();
  void run_command();
  void on_start_failed(const term& reason);
  void on_command_end(const term& reason);
  void end_with(const term& how, const term& reason);

  io::child_host& host_;
  readiness ready_;
  os_process_options command_options_;        // if the check is a command
  std::vector<io::socket_address> addresses_; // if it is a socket
  std::vector<io::connect_attempt> connections_;
  timer_ref look_;
  caf::actor command_;             // while it runs; it holds the probe as its owner
  std::optional<term> end_reason_; // of the probe, once its command is gone
};

} // namespace penning::actors
