#pragma once

#include <penning/bridge/supervise_options.hpp>

#include <caf/message.hpp>

#include <optional>

namespace penning::bridge {

/// The request to a supervisor that a `call` carries: `which_children`, `count_children`,
/// `{start_child, Spec}`, `{terminate_child | restart_child | delete_child | get_childspec, Id}`;
/// nothing for any other term.
/// Throws as `to_child_spec` for a bad specification.
std::optional<caf::message> to_supervisor_request(const term& message, const child_maker& maker);

/// What OTP's function of that name returns, with the handle's Id in place of a pid; nothing for
/// what no supervisor answers.
std::optional<term> from_supervisor_answer(const caf::message& answer);

} // namespace penning::bridge
