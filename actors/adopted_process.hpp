#pragma once

#include <penning/actors/os_process_options.hpp>
#include <penning/actors/process.hpp>
#include <penning/io/adopted.hpp>
#include <penning/io/context.hpp>

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

namespace penning::actors {

/// Which process to adopt, and how it is stopped.
struct adopt_options {
  pid_t pid = 0;
  /// When it started, in clock ticks since the boot: field 22 of /proc/PID/stat. One that started
  /// at another time is not it. Without it whichever process has the pid now is meant.
  std::optional<std::uint64_t> start_time{};
  std::optional<signal_choice> stop_signal{}; ///< As of `os_process_options`; else SIGTERM.
  std::chrono::milliseconds delay_to_sigkill{500};
  std::vector<int> success_exit_codes{};
};

/// Throws `io::option_error`: for a pid that is none or our own, a signal that is none, a delay
/// that no timer takes.
void validate(const adopt_options& options);

/// The actor of an OS process that something else has started, linked to its owner.
///
/// Takes `signal`, `os_pid` and `info` from anybody, `close` from its owner; it has no streams. An
/// owner or parent that ends stops the process, as `close` does: its stop signal and SIGCONT, then
/// SIGKILL. All goes through a pidfd to that process alone, not to its group or descendants, and
/// nothing stops it when the runtime itself is killed.
///
/// Its end is told as that of an `os_process`, by `exited` and the exit reason. How it ended can be
/// known only of a child of this program that nobody has reaped; for any other it is the signal 0,
/// `{signal, 0, false}` and `{signal, 0}`, and there is no usage. One that cannot be signalled when
/// it is to end is let go: the reason is `{Posix, Text}` then, such as `{eperm, Text}`.
///
/// `start_link` returns `{ok, OsPid}`, or `{error, Reason}`: `{bad_option, Name, Value, Problem}`,
/// `{esrch, Text}` if there is no such process.
class adopted_process : public process {
 public:
  /// `io` outlives the actor.
  adopted_process(caf::actor_config& config, io::context& io, caf::actor owner,
                  adopt_options options);

  const char* name() const override { return "penning.adopted_process"; }

 protected:
  start_result init() override;
  caf::message_handler receive() override;
  void handle_exit(const caf::actor_addr& from, const term& reason) override;
  void handle_kill() override;
  void terminate(const term& reason) override;

 private:
  start_result hold();
  void stop();
  void kill();
  void on_end(const std::optional<io::exit_status>& how);
  caf::result<void> send_signal(const term& which);
  bool try_signal(int number);
  caf::result<void> refuse(std::errc reason);
  info_reply describe();

  io::context& io_;
  caf::actor owner_;
  adopt_options options_;
  std::shared_ptr<io::adopted> held_;
  std::optional<term> cause_;    // of an end that was asked for: its exit reason
  bool closing_ = false;         // by `close`, which is to be answered
  std::uint64_t adopted_at_ = 0; // ticks since the boot
};

} // namespace penning::actors
