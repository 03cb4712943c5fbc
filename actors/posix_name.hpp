#pragma once

#include <penning/actors/term_atom.hpp>

#include <system_error>

namespace penning::actors {

/// The atom by which Erlang's `file` and `inet` modules call an errno: `enoent`, `eacces`. A code
/// of another category, or one without a name, is `unknown`. Source: errno(3).
atom posix_name(std::error_code code);

} // namespace penning::actors
