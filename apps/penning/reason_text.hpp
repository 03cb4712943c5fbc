#pragma once

#include <penning/actors/term.hpp>

#include <string>

namespace penning::apps {

/// An exit reason for people: what OS processes and supervisors give in words, any other term as
/// Erlang writes it.
std::string reason_text(const actors::term& reason);

} // namespace penning::apps
