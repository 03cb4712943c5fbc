#pragma once

// The frames of docs/protocol.md as values: what comes from the BEAM, and what goes to it.

#include <penning/actors/term.hpp>
#include <penning/io/child.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

namespace penning::bridge::port_protocol {

using actors::term;

inline constexpr std::int64_t version = 1;

/// Identifies an actor behind the port.
using handle_id = std::uint64_t;

// -- from the BEAM --------------------------------------------------------------------------------

struct hello {
  std::int64_t version = 0;
  term options;
};

struct open {
  term program, args, options;
};
struct supervise {
  term flags, specs;
};
struct whereis {
  term name;
};
struct call {
  handle_id id = 0;
  term message;
};
struct adopt {
  term os_pid, options;
};
struct info {};

using request_body = std::variant<open, adopt, supervise, whereis, call, info>;

struct request {
  term ref;
  request_body body;
};

struct send {
  handle_id id = 0;
  term message;
};

struct ack {
  handle_id id = 0;
  io::output stream = io::output::out;
  std::size_t bytes = 0;
};

struct exit {
  handle_id id = 0;
  term reason;
};

/// A term that is no frame, or a request that is none: whom to tell, and how it looked.
struct malformed {
  term value;
};
struct malformed_request {
  term ref;
  term value;
};

using incoming = std::variant<hello, request, send, ack, exit, malformed, malformed_request>;

incoming parse(const term& frame);

// -- to the BEAM ----------------------------------------------------------------------------------

term greeting(std::string_view program, std::int64_t os_pid, std::string_view containment);
/// A start that may take long is under way.
term starting_frame(const term& ref, handle_id id);
term reply_ok(const term& ref, term result);
term reply_error(const term& ref, term reason);
term message_frame(handle_id id, term message);
term down_frame(handle_id id, term reason);
/// `what` is one of the atoms that docs/protocol.md lists.
term error_frame(std::string_view what, term detail);

} // namespace penning::bridge::port_protocol
