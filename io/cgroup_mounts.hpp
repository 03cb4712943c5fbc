#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penning::io {

/// A hierarchy of control groups that is mounted, as this process sees it; see cgroups(7).
struct cgroup_hierarchy {
  int version = 2;
  std::vector<std::string> controllers{}; ///< Of a v1 hierarchy; "name=systemd" has none.
  std::string root{};                     ///< Where it is mounted.
  std::string own{};                      ///< The directory of the cgroup of this process.

  friend bool operator==(const cgroup_hierarchy&, const cgroup_hierarchy&) = default;
};

/// From the texts of /proc/self/mountinfo and /proc/self/cgroup, in the order of the former. Lines
/// that are none are passed over. Source: proc_pid_mountinfo(5), cgroups(7).
std::vector<cgroup_hierarchy> parse_cgroup_mounts(std::string_view mountinfo,
                                                  std::string_view own_cgroups);

/// Of this process; empty where /proc is not mounted or there is none.
std::vector<cgroup_hierarchy> cgroup_mounts();

/// The v2 hierarchy, or the v1 hierarchy that has `controller`; null for none.
const cgroup_hierarchy* find_unified(const std::vector<cgroup_hierarchy>& mounts);
const cgroup_hierarchy* find_controller(const std::vector<cgroup_hierarchy>& mounts,
                                        std::string_view controller);

} // namespace penning::io
