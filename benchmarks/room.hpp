#pragma once

#include <cstdint>

namespace penning::bench {

/// What the machine lets a process have.
struct room {
  std::uint64_t descriptors = 0; ///< The hard limit, raised as far as the kernel lets it.
  std::uint64_t processes = 0;   ///< That may be started besides those that are.
};

/// Asks this machine. Raises RLIMIT_NOFILE for the calling process, soft and hard.
room make_room();

/// `wanted` children with so many descriptors each, or as many as there is room for; what the
/// runtime and the rest of the machine need is left.
std::uint64_t children_in(const room& there, std::uint64_t wanted, std::uint64_t descriptors_each);

} // namespace penning::bench
