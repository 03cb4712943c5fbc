#pragma once

#include <penning/bridge/message_term.hpp>
#include <penning/bridge/port_protocol.hpp>
#include <penning/io/child.hpp>
#include <penning/supervision/child_spec.hpp>

#include <caf/actor.hpp>

namespace penning::bridge {

/// To the bridge, before a supervised child runs: whose messages will follow.
struct child_announced {
  port_protocol::handle_id supervisor = 0;
  term id;
  caf::actor child;
};

/// What supervised OS processes are made with. `host` outlives them.
struct child_maker {
  io::child_host& host;
  caf::actor owner; ///< Gets `child_announced` before every start, and what the processes send.
};

/// Flags and children of a supervisor from the terms of a `supervise` request; docs/protocol.md
/// says how they look.
/// Throws `supervision::spec_error` with OTP's term, and `io::option_error` for an option of a
/// child that `open` would refuse.
supervision::supervisor_spec to_supervisor_spec(const term& flags, const term& specs,
                                                const child_maker& maker);

/// One child, for a supervisor that runs. Throws likewise.
supervision::child_spec to_child_spec(const term& spec, const child_maker& maker);

} // namespace penning::bridge

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::bridge::child_announced)
