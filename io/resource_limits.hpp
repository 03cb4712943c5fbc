#pragma once

#include <penning/io/launch_options.hpp>

#include <cstdint>
#include <vector>

namespace penning::io {

/// One call of prlimit(2).
struct kernel_limit {
  int resource = 0;
  const char* step = ""; ///< "setrlimit nofile", a literal.
  std::uint64_t soft = 0, hard = 0;
};

/// Throws `option_error` naming `rlimits` for a name that is unknown or comes twice, and for a soft
/// limit above the hard one.
std::vector<kernel_limit> resolve_limits(const std::vector<resource_limit>& limits);

} // namespace penning::io
