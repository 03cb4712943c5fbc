#pragma once

#include <sys/types.h>

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>

namespace penning::io {

/// What a process and those of its descendants that it waited for have used.
/// Source: `struct rusage`, see getrusage(2).
struct resource_usage {
  std::chrono::microseconds user{};   ///< Processor time in user mode.
  std::chrono::microseconds system{}; ///< Processor time in kernel mode.
  /// Largest resident set, in KiB; never less than the runtime's own when the child was started,
  /// which Linux counts at execve(2).
  std::int64_t max_rss_kib = 0;
  /// Whether the kernel killed it or one of its descendants for want of memory; known only of a
  /// child with a control group of its own that has the controller `memory`.
  bool oom_killed = false;
};

/// How a process ended: it returned a status or a signal ended it, never both folded into one
/// number, so that `exit 137` and `kill -9` stay apart. Source: wait(2).
struct exit_status {
  enum class kind : std::uint8_t {
    status, ///< `code` is what the process gave to exit(3), 0 to 255.
    signal, ///< `code` is the number of the signal that ended it; 0 when nobody can know,
            ///< because something else in this process has reaped our child.
  };
  kind how = kind::status;
  int code = 0;
  bool core_dumped = false; ///< Only ever true for `signal`.

  friend auto operator<=>(const exit_status&, const exit_status&) = default;
};

/// The end of a child, told once, after its processes are gone and its leader is reaped.
struct child_end {
  pid_t pid = 0;
  exit_status status;
  resource_usage usage;
};

} // namespace penning::io
