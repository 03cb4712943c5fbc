#pragma once

#include <penning/actors/term.hpp>
#include <penning/supervision/messages.hpp>

#include <caf/message.hpp>

#include <functional>
#include <optional>

namespace penning::bridge {

using actors::term;

/// The request to a supervisor that a `call` carries: `which_children`, `count_children`,
/// `{start_child, Spec}`, `{terminate_child | restart_child | delete_child | get_childspec, Child}`;
/// nothing for any other term. `to_start` makes what `start_child` brings, `to_ref` what names a
/// child; what they throw is passed on.
struct supervisor_terms {
  std::function<supervision::start_child(const term& spec)> to_start;
  std::function<supervision::child_ref(const term& child)> to_ref;
};
std::optional<caf::message> to_supervisor_request(const term& message,
                                                  const supervisor_terms& terms);

/// What OTP's function of that name returns, with what `name_of` gives in place of a pid; nothing
/// for what no supervisor answers.
std::optional<term> from_supervisor_answer(const caf::message& answer,
                                           const std::function<term(const caf::actor&)>& name_of);

} // namespace penning::bridge
