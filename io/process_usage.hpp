#pragma once

#include <penning/io/exit_status.hpp>

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace penning::io {

/// What a living process, with those of its descendants that it waited for, has used so far; times
/// are counted in clock ticks. Nothing if no process has this pid, or one that started after
/// `known_at` (ticks since the boot) and so is another one.
/// Source: /proc/PID/stat, and VmHWM in /proc/PID/status, see proc(5).
std::optional<resource_usage> usage_of(pid_t pid, std::uint64_t known_at);

} // namespace penning::io
