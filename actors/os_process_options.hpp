#pragma once

#include <penning/actors/output_framing.hpp>
#include <penning/actors/readiness.hpp>
#include <penning/actors/signal_name.hpp>
#include <penning/actors/term.hpp>
#include <penning/io/launch_options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace penning::actors {

/// A program and its arguments.
struct command_line {
  std::string program{};
  std::vector<std::string> args{};
  friend bool operator==(const command_line&, const command_line&) = default;
};

/// What to start, and how its actor treats it.
struct os_process_options : io::launch_options {
  /// From the stop signal, or the start of the stop command, to SIGKILL.
  std::chrono::milliseconds delay_to_sigkill{500};
  /// Bytes of each stream that the owner may have unconsumed; at least 1.
  std::size_t stdio_window = 65'536;
  /// Statuses besides 0 whose exit reason is `normal`.
  std::vector<int> success_exit_codes{};
  /// What must pass before it counts as started; with nothing, that it executes is enough.
  std::optional<readiness> ready{};
  /// Of one stream, instead of `stdio_window`. That of stdin is what may wait to be taken before
  /// its owner is told `stdin_busy`. With lines or records the window of an output is at least as
  /// large as the longest of them with its delimiter.
  std::optional<std::size_t> stdin_window{}, stdout_window{}, stderr_window{};
  /// Bytes of stdin that may wait to be taken, if that is more than its window; a command that
  /// would make it more is refused, but for one that waits alone.
  std::size_t stdin_limit = 16UL << 20;
  delivery stdout_delivery{}, stderr_delivery{};
  /// What asks the child itself to end; SIGCONT follows, so that one that was stopped (SIGSTOP)
  /// hears of it. Without it SIGTERM; but a child with a pty is hung up on, see
  /// `io::child::hang_up`.
  std::optional<signal_choice> stop_signal{};
  /// Run instead of sending the stop signal, in the child's directory and environment and as its
  /// user, with the child's pid in MAINPID. The signal is sent if it fails or cannot be started. It
  /// is killed once the child is gone. Source: ExecStop in systemd.service(5).
  std::optional<command_line> stop_command{};
  /// How often it was started before, for `info` to tell; whose start function this is, counts.
  std::uint64_t restarts = 0;
};

/// Throws `io::option_error`; see `io::validate` and `validate(const readiness&)`.
void validate(const os_process_options& options);

/// The same for one option of it, `stop_signal` or `delay_to_sigkill`.
void validate_stop_signal(const std::optional<signal_choice>& signal);
void validate_delay_to_sigkill(std::chrono::milliseconds delay);

/// How to run a command on behalf of a process: in its directory and environment, with its rights
/// and limits; nothing else is the same.
os_process_options options_of_helper(const os_process_options& of, const command_line& command);

/// `{bad_option, Name, Value, Problem}`, a name that cannot be an atom as a binary.
term bad_option(const io::option_error& error);

} // namespace penning::actors
