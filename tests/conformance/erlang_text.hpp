#pragma once

#include <penning/actors/term.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace penning::conformance {

using actors::term;

/// Reads a term as the recordings write it: as Erlang source, but that an atom may stand without
/// its quotes, as `EXIT` or `a#1` does. Throws `std::invalid_argument`.
term parse_term(std::string_view text);

/// The same, and the text itself as an atom if it is no term.
term parse_term_or_atom(std::string_view text);

/// What a process is called in the recordings.
using process_names = std::function<std::string(const actors::pid&)>;

/// Writes a term as the recordings have it: no quotes around atoms, no spaces, maps in the order of
/// their keys; `child` for a supervisor's own record of a child, `mfa` for the names of a start
/// function.
std::string to_text(const term& value, const process_names& names);

} // namespace penning::conformance
