#pragma once

// Children that are real programs instead of scripted actors.

#include "scripted.hpp"

#include <optional>
#include <string>

namespace penning::conformance {

/// Why the children of a scenario cannot be programs; nothing if they can.
std::optional<std::string> obstacle(const json& scenario);

/// Starts a program, or one that does not exist.
actors::started start_program(actors::process& parent, world& where, role who,
                              const reaction& on_shutdown, bool exists);

/// Has a program exit by itself: with status 0 for `normal`, else with 1.
void request_exit(const caf::actor& program, const term& reason);

/// SIGKILL, from outside.
void kill_program(const term& os_pid);

} // namespace penning::conformance
