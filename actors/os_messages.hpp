#pragma once

// The vocabulary of an OS process, from the mirror of Elixir's Port.

#include <penning/actors/inspection.hpp>
#include <penning/actors/message.hpp>
#include <penning/actors/term.hpp>
#include <penning/io/exit_status.hpp>

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

namespace penning::actors {

// -- from the owner -------------------------------------------------------------------------------

/// stdin bytes for a child. Sent as a request it is answered once the child has taken them: that is
/// the way not to run ahead of a child that reads slowly. What is not taken yet waits, within a
/// bound: see `stdin_busy`, and `stdin_refused` for what exceeds it or comes after the end of
/// stdin; a request gets the error `{eagain, Text}` or `{epipe, Text}` then. Erlang: `{command,
/// binary()}`.
struct command {
  static constexpr auto tag = "command";
  std::vector<char> bytes;
  auto fields() { return std::tuple{field{"bytes", bytes}}; }
};

/// End of file on stdin, after what was sent before; output goes on. Erlang: `close_stdin`.
struct close_stdin {
  static constexpr auto tag = "close_stdin";
  auto fields() { return std::tuple{}; }
};

/// Stops the process: its stop signal, then SIGKILL. Answered by `closed`, before the end.
/// Erlang: `close`.
struct close {
  static constexpr auto tag = "close";
  auto fields() { return std::tuple{}; }
};

/// Hands the process to another owner. Answered by `connected`. Erlang: `{connect, pid()}`.
struct connect {
  static constexpr auto tag = "connect";
  caf::actor owner;
  auto fields() { return std::tuple{field{"owner", owner}}; }
};

/// Asks for the pid of the child itself; the answer is an `os_pid_reply`. Erlang: `os_pid`.
struct os_pid {
  static constexpr auto tag = "os_pid";
  auto fields() { return std::tuple{}; }
};

/// `pid` is 0 before the start and after the end. Erlang: `{os_pid_reply, integer()}`.
struct os_pid_reply {
  static constexpr auto tag = "os_pid_reply";
  std::int64_t pid = 0;
  auto fields() { return std::tuple{field{"pid", pid}}; }
};

/// Sends the child itself, not its group, a signal: `signal{SIGHUP}`, `signal{"SIGHUP"_a}` or
/// `signal{"hup"}`. A request is answered `ok`, or with the error `{bad_signal, Signal}` or
/// `{esrch, Text}`, before the start and after the end. Erlang: `{signal, Number | Name}`.
struct signal {
  static constexpr auto tag = "signal";
  term which;
  auto fields() { return std::tuple{field{"which", which}}; }
};

/// The new size of a child's pseudo-terminal, in characters; the child gets SIGWINCH. A request is
/// answered `ok`, or with the error `{enotty, Text}` if it has none, `{esrch, Text}` as for
/// `signal`. Erlang: `{window_size, Rows, Columns}`.
struct window_size {
  static constexpr auto tag = "window_size";
  std::uint16_t rows = 0;
  std::uint16_t columns = 0;
  auto fields() { return std::tuple{field{"rows", rows}, field{"columns", columns}}; }
};

/// Asks how the child is; the answer is an `info_reply`. Erlang: `info`.
struct info {
  static constexpr auto tag = "info";
  auto fields() { return std::tuple{}; }
};

/// How a child is, and what it has moved and used so far. Erlang: a map of these fields.
struct info_reply {
  static constexpr auto tag = "info_reply";
  term state;                     ///< A name of `process_state`, as an atom.
  std::int64_t os_pid = 0;        ///< 0 before the start and after the end.
  std::int64_t uptime = 0;        ///< Milliseconds since the start; after the end those it ran.
  std::uint64_t stdin_bytes = 0;  ///< That it has taken.
  std::uint64_t stdin_queued = 0; ///< That wait for it to take them.
  std::uint64_t stdout_bytes = 0; ///< That it wrote, as far as they have been read.
  std::uint64_t stderr_bytes = 0;
  std::string containment; ///< See `io::to_string(containment)`; empty when there is no child.
  std::uint64_t restarts = 0;
  io::resource_usage usage;
  /// What its own control group uses, while it lives: a map of `memory`, `memory_peak` (bytes),
  /// `user`, `system` (microseconds), `pids` and `oom_kills`; see `io::cgroup_statistics` for what
  /// is known when. Empty where it has none.
  term cgroup = map{};
  auto fields() {
    return std::tuple{field{"state", state},
                      field{"os_pid", os_pid},
                      field{"uptime", uptime},
                      field{"stdin_bytes", stdin_bytes},
                      field{"stdin_queued", stdin_queued},
                      field{"stdout_bytes", stdout_bytes},
                      field{"stderr_bytes", stderr_bytes},
                      field{"containment", containment},
                      field{"restarts", restarts},
                      field{"usage", usage},
                      field{"cgroup", cgroup}};
  }
};

// -- to the owner ---------------------------------------------------------------------------------

/// What the child wrote to stdout. Sent as a request: the window opens again by so much once the
/// owner's handler has returned (or has fulfilled its promise). Erlang: `{data, binary()}`.
struct data {
  static constexpr auto tag = "data";
  std::vector<char> bytes;
  auto fields() { return std::tuple{field{"bytes", bytes}}; }
};

/// What the child wrote to stderr; flows like `data`. Erlang: `{error, binary()}`.
struct error {
  static constexpr auto tag = "error";
  std::vector<char> bytes;
  auto fields() { return std::tuple{field{"bytes", bytes}}; }
};

/// More than `stdin_window` bytes wait to be taken: hold back, or send requests. Told once, until
/// `stdin_ready`; `queued` is how much waits. Erlang: `{stdin_busy, Bytes}`.
struct stdin_busy {
  static constexpr auto tag = "stdin_busy";
  std::uint64_t queued = 0;
  auto fields() { return std::tuple{field{"queued", queued}}; }
};

/// After `stdin_busy`: no more than half a `stdin_window` waits. Erlang: `stdin_ready`.
struct stdin_ready {
  static constexpr auto tag = "stdin_ready";
  auto fields() { return std::tuple{}; }
};

/// The child reads no more, so what waited is lost. Told once, if bytes were to be written; perhaps
/// just before the end as well, for a process that ends closes its stdin first.
/// Erlang: `{stdin_closed, Reason}`, a POSIX name, nearly always `epipe`.
struct stdin_closed {
  static constexpr auto tag = "stdin_closed";
  term reason;
  auto fields() { return std::tuple{field{"reason", reason}}; }
};

/// To the sender of a `command` that was no request: none of it is taken. `reason` is `eagain` if
/// too much waits already, `epipe` if nothing more is taken. Erlang: `{stdin_refused, Bytes,
/// Reason}`, how many, and the reason.
struct stdin_refused {
  static constexpr auto tag = "stdin_refused";
  std::uint64_t bytes = 0;
  term reason;
  auto fields() { return std::tuple{field{"bytes", bytes}, field{"reason", reason}}; }
};

/// The answer to `close`. Erlang: `closed`.
struct closed {
  static constexpr auto tag = "closed";
  auto fields() { return std::tuple{}; }
};

/// The answer to `connect`, to the former owner. Erlang: `connected`.
struct connected {
  static constexpr auto tag = "connected";
  auto fields() { return std::tuple{}; }
};

/// What is between two delimiters of a stream, without them, or a piece of it.
struct line {
  std::vector<char> bytes;
  /// Whether the delimiter follows. If not, the rest comes next: the line is longer than
  /// `delivery::max_length`, or the stream has ended without a delimiter.
  bool complete = true;

  friend bool operator==(const line&, const line&) = default;
};

template <class Inspector>
auto inspect(Inspector& f, line& x) {
  return inspect_object(f, x, "line", field{"bytes", x.bytes}, field{"complete", x.complete});
}

/// stdout where it is delivered by lines or records; flows like `data`, delimiters counted.
/// Erlang, as `{line, L}` of `erlang:open_port/2`: `{data, {eol, binary()}}`, and for a piece
/// `{data, {noeol, binary()}}`.
struct data_line {
  static constexpr auto tag = "data";
  actors::line line;
  auto fields() { return std::tuple{field{"line", line}}; }
};

/// stderr where it is delivered by lines or records, as `data_line`.
/// Erlang: `{error, {eol | noeol, binary()}}`.
struct error_line {
  static constexpr auto tag = "error";
  actors::line line;
  auto fields() { return std::tuple{field{"line", line}}; }
};

/// How the child ended, after all that it wrote; the exit signal follows.
/// Erlang: `{exited, OsPid, {status, N} | {signal, N, CoreDumped}, Usage}`, `Usage` a map of
/// `user`, `system` (microseconds), `max_rss` (KiB) and `oom_killed`.
struct exited {
  static constexpr auto tag = "exited";
  std::int64_t os_pid = 0;
  io::exit_status how;
  io::resource_usage usage;
  auto fields() {
    return std::tuple{field{"os_pid", os_pid}, field{"how", how}, field{"usage", usage}};
  }
};

} // namespace penning::actors
