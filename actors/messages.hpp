#pragma once

// The vocabulary of an OS process, from the mirror of Elixir's Port.

#include <penning/actors/inspection.hpp>
#include <penning/actors/message.hpp>
#include <penning/actors/term.hpp>
#include <penning/io/exit_status.hpp>

#include <cstdint>
#include <tuple>
#include <vector>

namespace penning::actors {

// -- from the owner -------------------------------------------------------------------------------

/// stdin bytes for a child. Sent as a request it is answered once the child has taken them: that is
/// the way not to run ahead of a child that reads slowly. Erlang: `{command, binary()}`.
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

/// Stops the process: SIGTERM, then SIGKILL. Answered by `closed`, before the end. Erlang: `close`.
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

/// How the child ended, after all that it wrote; the exit signal follows.
/// Erlang: `{exited, OsPid, {status, N} | {signal, N, CoreDumped}, Usage}`, `Usage` a map of
/// `user`, `system` (microseconds) and `max_rss` (KiB).
struct exited {
  static constexpr auto tag = "exited";
  std::int64_t os_pid = 0;
  io::exit_status how;
  io::resource_usage usage;
  auto fields() {
    return std::tuple{field{"os_pid", os_pid}, field{"how", how}, field{"usage", usage}};
  }
};

// -- to a callback module -------------------------------------------------------------------------

/// A request; it is answered with a `term`, or with an error that carries a reason.
/// Erlang: `gen_server:call/2`.
struct call {
  static constexpr auto tag = "call";
  term request;
  auto fields() { return std::tuple{field{"request", request}}; }
};

/// A request without an answer. Erlang: `gen_server:cast/2`.
struct cast {
  static constexpr auto tag = "cast";
  term request;
  auto fields() { return std::tuple{field{"request", request}}; }
};

// -- what OTP's processes tell each other ---------------------------------------------------------

/// An exit signal on its way. A process handles it before its own handlers see anything.
struct exit_signal {
  static constexpr auto tag = "EXIT";
  caf::actor_addr from;
  term reason;
  bool by_link = false; ///< From a link rather than from `exit/2`.
  auto fields() {
    return std::tuple{field{"from", from}, field{"reason", reason}, field{"by_link", by_link}};
  }
};

/// Asks a process to remember a link with the sender; the sender has remembered it already.
struct link_request {
  static constexpr auto tag = "link";
  caf::actor_addr from;
  auto fields() { return std::tuple{field{"from", from}}; }
};

/// Takes a link back.
struct unlink_request {
  static constexpr auto tag = "unlink";
  caf::actor_addr from;
  auto fields() { return std::tuple{field{"from", from}}; }
};

/// Tells a monitoring process that what it watched is gone: exactly once for each monitor.
/// Erlang: `{'DOWN', reference(), process, pid(), Reason}`.
struct down {
  static constexpr auto tag = "DOWN";
  std::uint64_t monitor = 0; ///< What `process::monitor` returned.
  caf::actor_addr from;
  term reason;
  auto fields() {
    return std::tuple{field{"monitor", monitor}, field{"from", from}, field{"reason", reason}};
  }
};

/// What the start of a process came to, told to the parent that started it with `start_link`:
/// `ok`, `{ok, Info}`, `ignore` or `{error, Reason}`. Source: `proc_lib:init_ack/2`.
struct init_ack {
  static constexpr auto tag = "ack";
  caf::actor_addr from;
  term result;
  auto fields() { return std::tuple{field{"from", from}, field{"result", result}}; }
};

} // namespace penning::actors

CAF_BEGIN_TYPE_ID_BLOCK(penning, ::penning::actors::first_type_id)

CAF_ADD_TYPE_ID(penning, (penning::actors::term))
CAF_ADD_TYPE_ID(penning, (penning::actors::command))
CAF_ADD_TYPE_ID(penning, (penning::actors::close_stdin))
CAF_ADD_TYPE_ID(penning, (penning::actors::close))
CAF_ADD_TYPE_ID(penning, (penning::actors::connect))
CAF_ADD_TYPE_ID(penning, (penning::actors::os_pid))
CAF_ADD_TYPE_ID(penning, (penning::actors::os_pid_reply))
CAF_ADD_TYPE_ID(penning, (penning::actors::data))
CAF_ADD_TYPE_ID(penning, (penning::actors::error))
CAF_ADD_TYPE_ID(penning, (penning::actors::closed))
CAF_ADD_TYPE_ID(penning, (penning::actors::connected))
CAF_ADD_TYPE_ID(penning, (penning::actors::exited))
CAF_ADD_TYPE_ID(penning, (penning::actors::exit_signal))
CAF_ADD_TYPE_ID(penning, (penning::actors::link_request))
CAF_ADD_TYPE_ID(penning, (penning::actors::unlink_request))
CAF_ADD_TYPE_ID(penning, (penning::actors::down))
CAF_ADD_TYPE_ID(penning, (penning::actors::init_ack))
CAF_ADD_TYPE_ID(penning, (penning::actors::call))
CAF_ADD_TYPE_ID(penning, (penning::actors::cast))

CAF_END_TYPE_ID_BLOCK(penning)
