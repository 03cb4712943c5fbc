#pragma once

// The frames of docs/protocol.md as values: what comes from the BEAM, and what goes to it.

#include <penning/actors/term.hpp>
#include <penning/io/child.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace penning::bridge::port_protocol {

using actors::term;

inline constexpr std::int64_t version = 1;

/// Bytes of a frame; a longer term is sent in pieces.
inline constexpr std::size_t max_frame = std::size_t{64} << 20;

/// Bytes of an encoded term, and of all that has come in pieces and is not whole yet.
inline constexpr std::size_t max_term = std::size_t{256} << 20;

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
struct start {
  term name, arguments;
};
struct adopt {
  term os_pid, options;
};
struct info {};

using request_body = std::variant<open, adopt, supervise, start, whereis, call, info>;

struct request {
  term ref;
  request_body body;
};

struct send {
  handle_id id = 0;
  term message;
};

struct cast {
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

/// An exit signal of a process of the BEAM.
struct exit_from {
  handle_id id = 0;
  actors::pid from;
  term reason;
};

/// What stands for an actor in the BEAM.
struct proxy {
  handle_id id = 0;
  actors::pid pid;
};

/// A process of the BEAM has ended; `name` as in `watch_frame`.
struct gone {
  term name;
  term reason;
};

/// The answer to what `call_frame` asked.
struct reply {
  term name;
  std::uint64_t number = 0;
  term result; ///< `{ok, Reply}`, `{error, Reason}`.
};

/// A term that is no frame, or a request that is none: whom to tell, and how it looked.
struct malformed {
  term value;
};
struct malformed_request {
  term ref;
  term value;
};

using incoming = std::variant<hello, request, send, cast, ack, exit, exit_from, proxy, gone, reply,
                              malformed, malformed_request>;

incoming parse(const term& frame);

/// The Ref of a request whose bytes are not a term, or not to be taken, if it stands within their
/// first 64 KiB: so that who asked can be told.
std::optional<term> ref_of_request(std::span<const char> bytes);

// -- to the BEAM ----------------------------------------------------------------------------------

/// `{handles, Ids, Frame}`: an encoded frame that names these actors.
std::vector<char> with_handles(const std::vector<actors::pid>& named,
                               const std::vector<char>& frame);

term greeting(std::string_view program, std::int64_t os_pid, std::string_view containment);
/// A start that may take long is under way.
term starting_frame(const term& ref, handle_id id);
term reply_ok(const term& ref, term result);
term reply_error(const term& ref, term reason);
term message_frame(handle_id id, term message);
term down_frame(handle_id id, term reason);
// To a process of the BEAM, by its pid or registered name; `from` names an actor, or is `undefined`.
term send_frame(const term& to, term message);
term cast_frame(const term& to, term message);
/// To be answered by a `reply`, unless the process ends first.
term call_frame(const term& to, std::uint64_t number, term message);
term signal_frame(const term& to, term from, term reason);
term link_frame(const term& to, term from, bool on);
/// To be answered by `gone`, once.
term watch_frame(const term& to);

/// `what` is one of the atoms that docs/protocol.md lists.
term error_frame(std::string_view what, term detail);

} // namespace penning::bridge::port_protocol
