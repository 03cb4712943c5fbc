#pragma once

#include <penning/io/unique_fd.hpp>

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

namespace penning::io {

/// The fields of /proc/PID/stat that say to whom a process belongs and what it has used, see
/// proc(5). Times are in clock ticks.
struct process_stat {
  pid_t group = 0;          ///< Field 5.
  std::uint64_t user = 0;   ///< Fields 14 and 16: with those of its children that it waited for.
  std::uint64_t system = 0; ///< Fields 15 and 17.
  std::uint64_t start = 0;  ///< Field 22, since the boot.
};

/// Nothing for a line that is not one of /proc/PID/stat. The name in it may hold anything, `)` and
/// spaces too.
std::optional<process_stat> parse_stat(std::string_view line);

/// Of the process that has this pid now; nothing if none has.
std::optional<process_stat> stat_of(pid_t pid);

/// A living member of a group, found and then held by a pidfd.
struct held_member {
  pid_t pid = 0;
  unique_fd pidfd;
};

/// The living members of the group `id`, `limit` at most, each checked to be in it *after* its
/// pidfd was opened, so that the pidfd is safe to signal. A zombie counts as dead.
///
/// Once the leader has been reaped its number could be somebody else's: a group is another one if a
/// process has that number as its pid, or if a member started after `reaped`, which is 0 before.
/// The leader itself is not counted.
/// Errors: those of opendir(3) and pidfd_open(2); EMFILE only if not one member could be held.
/// Cost: one read of /proc/PID/stat per process of the machine.
std::vector<held_member> living_members(pid_t id, std::uint64_t reaped, std::size_t limit,
                                        std::error_code& error);

/// Now, in the unit of `process_stat::start`.
std::uint64_t ticks_since_boot();

/// Of the unit of `process_stat`: how many to a second, see sysconf(3).
std::uint64_t ticks_per_second();

} // namespace penning::io
