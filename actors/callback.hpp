#pragma once

#include <penning/actors/term.hpp>

#include <chrono>
#include <optional>
#include <variant>

namespace penning::actors {

/// What happens after a callback, besides waiting for the next message.
struct next_step {
  /// `handle_info` gets the atom `timeout` unless a message comes first.
  std::optional<std::chrono::milliseconds> timeout;
  /// `handle_continue` gets this before any message.
  std::optional<term> then_continue;
};

/// `{noreply, State}`, `{noreply, State, Timeout}`, `{noreply, State, {continue, Continue}}`.
struct noreply {
  next_step next;
};

/// `{reply, Reply, State}`, likewise; only from `handle_call`.
struct reply {
  term value;
  next_step next;
};

/// `{stop, Reason, State}`, or `{stop, Reason, Reply, State}` from `handle_call`.
struct stop {
  term reason;
  std::optional<term> value;
};

/// What a callback returns; its state is the members of its object. Source: `gen_server`.
using callback_result = std::variant<noreply, reply, stop>;

/// `{ok, State}` with what comes next, `ignore`, or `{stop, Reason}`.
struct ignore {};
using init_result = std::variant<next_step, ignore, stop>;

/// Thrown in a callback it ends the process with exactly this reason, as `exit/1` does; so does a
/// thrown `term`. Any other exception is the reason `{exception, What}`.
struct exit_with {
  term reason;
};

} // namespace penning::actors
