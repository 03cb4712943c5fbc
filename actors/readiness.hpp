#pragma once

#include <penning/actors/term.hpp>
#include <penning/io/launch_options.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace penning::actors {

/// A line of the process's standard output that contains `text`. Its end is not waited for.
struct stdout_line {
  std::string text;
  friend bool operator==(const stdout_line&, const stdout_line&) = default;
};

/// A TCP port that accepts a connection. `host` is a numeric IPv4 or IPv6 address, or "localhost":
/// 127.0.0.1 or ::1, whichever accepts.
struct tcp_accepts {
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const tcp_accepts&, const tcp_accepts&) = default;
};

/// A unix stream socket that accepts a connection. With a leading '@' the name of an abstract one,
/// see unix(7); a file of such a name is "./@name".
struct unix_accepts {
  std::string path;
  friend bool operator==(const unix_accepts&, const unix_accepts&) = default;
};

/// A file of any kind; a symbolic link counts as what it leads to.
struct file_exists {
  std::string path;
  friend bool operator==(const file_exists&, const file_exists&) = default;
};

/// A command that exits with status 0, with the `cd` and `env` of the process that it is for, and its
/// user, rights and limits.
struct command_succeeds {
  std::string program;
  std::vector<std::string> args{};
  friend bool operator==(const command_succeeds&, const command_succeeds&) = default;
};

using ready_check =
  std::variant<stdout_line, tcp_accepts, unix_accepts, file_exists, command_succeeds>;

/// When an OS process counts as started: once `check` has passed. Relative paths count from the
/// process's `cd`.
struct readiness {
  ready_check check;
  /// From one attempt to the next; from the end of a command to its next run.
  std::chrono::milliseconds interval{100};
  friend bool operator==(const readiness&, const readiness&) = default;
};

/// Throws `io::option_error` with the option "ready": for an empty text or one of several lines, a
/// host that is neither numeric nor "localhost", port 0, a path that is empty, has a NUL or does
/// not fit into a socket's address (107 bytes), a command that `io::validate` refuses, an interval
/// that is not from 1 ms to `max_delay`. Touches nothing.
void validate(const readiness& ready);

/// The readiness that a term stands for: `{stdout, Text}`, `{tcp, Host, Port}`, `{unix, Path}`,
/// `{file, Path}` or `{command, Program, Args}`, or `#{check => Check, interval => Ms}` with one of
/// these; all text is iodata. The map may be a list of pairs.
/// Throws `io::option_error` with the option "ready", of what the map has "ready.interval" or the
/// like, for any other term, and as `validate` does.
readiness readiness_from_term(const term& value);

/// What `readiness_from_term` reads: the check alone where the interval is the usual one.
term to_term(const readiness& ready);

} // namespace penning::actors
