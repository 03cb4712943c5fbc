#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace penning::io {

/// A setting of a controller as the kernel has it: written to a file of the child's cgroup.
struct cgroup_set {
  std::string controller{}; ///< "memory"
  std::string key{};        ///< The file: "memory.max", "memory.limit_in_bytes".
  std::string value{};
};

/// How fast a block device may be used, per second; unlimited where nothing is given.
struct io_limit {
  std::string device{}; ///< The path of a block device, or "MAJOR:MINOR".
  std::optional<std::uint64_t> read_bytes{}, write_bytes{};
  std::optional<std::uint64_t> read_operations{}, write_operations{};
};

/// The control group of a child, see cgroups(7). The limits mean the same under v1 and v2; of
/// writes v1 limits only those that do not go through the page cache. A controller is looked for in
/// the v1 hierarchies first, as the kernel gives it to one only. Under v2 it is enabled on the way.
struct cgroup_options {
  std::vector<std::string> controllers{}; ///< Besides those that the limits need.
  /// Below the root of each hierarchy; made for this child and removed after it, without the
  /// directories above it. With `base` its last name is made up, with `path` it must not exist.
  /// With neither it is beside the runtime, or in the runtime's own.
  std::optional<std::string> base{}, path{};
  std::vector<cgroup_set> sets{}; ///< Written in order, after the limits.

  std::optional<std::uint64_t> memory{}; ///< Bytes, swap included where it is accounted.
  std::optional<double> cpu{};           ///< Processors: 0.5 is half of one; 0.001 at least.
  std::optional<std::uint64_t> pids{};   ///< Processes and threads.
  std::vector<io_limit> io{};
};

} // namespace penning::io
