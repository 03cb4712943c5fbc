#pragma once

#include <penning/actors/term.hpp>

#include <ostream>

namespace penning::actors {

/// GoogleTest shows terms as Erlang text.
inline void PrintTo(const term& value, std::ostream* out) {
  *out << to_string(value);
}

} // namespace penning::actors
