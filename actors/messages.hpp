#pragma once

// What actors tell each other: the vocabulary of OS processes is in os_messages.hpp.

#include <penning/actors/inspection.hpp>
#include <penning/actors/message.hpp>
#include <penning/actors/os_messages.hpp>
#include <penning/actors/term.hpp>

#include <cstdint>
#include <tuple>

namespace penning::actors {

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
CAF_ADD_TYPE_ID(penning, (penning::actors::data_line))
CAF_ADD_TYPE_ID(penning, (penning::actors::error_line))
CAF_ADD_TYPE_ID(penning, (penning::actors::signal))
CAF_ADD_TYPE_ID(penning, (penning::actors::window_size))
CAF_ADD_TYPE_ID(penning, (penning::actors::info))
CAF_ADD_TYPE_ID(penning, (penning::actors::info_reply))
CAF_ADD_TYPE_ID(penning, (penning::actors::stdin_busy))
CAF_ADD_TYPE_ID(penning, (penning::actors::stdin_ready))
CAF_ADD_TYPE_ID(penning, (penning::actors::stdin_closed))
CAF_ADD_TYPE_ID(penning, (penning::actors::stdin_refused))

CAF_END_TYPE_ID_BLOCK(penning)
