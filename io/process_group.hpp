#pragma once

#include <penning/io/unique_fd.hpp>

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

namespace penning::io {

/// The fields of /proc/PID/stat that say to whom a process belongs, see proc(5).
struct process_stat {
  pid_t group = 0;         ///< Field 5.
  std::uint64_t start = 0; ///< Field 22, clock ticks since the boot.
};

/// Nothing for a line that is not one of /proc/PID/stat. The name in it may hold anything, `)` and
/// spaces too.
std::optional<process_stat> parse_stat(std::string_view line);

/// A living member of a group, found and then held by a pidfd.
struct held_member {
  pid_t pid = 0;
  unique_fd pidfd;
};

/// The living members of the group `id`, `limit` at most, each checked to be in it *after* its
/// pidfd was opened, so that the pidfd is safe to signal. A zombie counts as dead.
///
/// The leader has been reaped, so its number could be somebody else's by now: a group is another
/// one if a process has that number as its pid, or if a member started after `reaped`.
/// Errors: those of opendir(3) and pidfd_open(2); EMFILE only if not one member could be held.
/// Cost: one read of /proc/PID/stat per process of the machine.
std::vector<held_member> living_members(pid_t id, std::uint64_t reaped, std::size_t limit,
                                        std::error_code& error);

/// Now, in the unit of `process_stat::start`.
std::uint64_t ticks_since_boot();

} // namespace penning::io
