#pragma once

// Not installed: where a child's control group is to be made, and what is to be written there.

#include <penning/io/cgroup_limits.hpp>
#include <penning/io/cgroup_mounts.hpp>

#include <string>
#include <vector>

namespace penning::io {

/// The control group of one child: a directory in each hierarchy that has a controller for it.
struct cgroup_plan {
  struct directory {
    int version = 2;
    std::string root{}; ///< Where its hierarchy is mounted.
    std::string top{};  ///< It exists; what is between it and `path` is made where it is missing.
    std::string path{}; ///< It does not.
    std::vector<wanted_controller> controllers{};
  };
  std::vector<directory> directories{};
  std::vector<cgroup_setting> settings{}; ///< In order; the files are absolute.
  std::string option{}, value{};          ///< Which gave the path: "cgroup_path" and its value.
};

/// Where a child's control group goes that was given neither `base` nor `path`, and its name.
struct cgroup_home {
  std::string runtime_root{}; ///< The root of the hierarchy in which the runtime has a directory.
  std::string runtime_path{}; ///< That directory; elsewhere it is the cgroup of this process.
  std::string name{};         ///< No other child's, of any runtime.
};

/// Throws `option_error` for a controller without a hierarchy. What no v1 hierarchy has is taken to
/// be in the v2 hierarchy; `check` asks there.
cgroup_plan plan_cgroup(const cgroup_options& options, const std::vector<cgroup_hierarchy>& mounts,
                        const cgroup_home& home);

/// Compares a plan with what is there, and changes nothing. Throws `option_error` for a path that
/// exists already, for a directory that may not be written, and for a v2 controller that is missing
/// or cannot be enabled, with the file and the command that would.
void check(const cgroup_plan& plan);

/// The directories in which something is to be made, from `top` to the one above `path`.
std::vector<std::string> way_to(const cgroup_plan::directory& directory);

/// Whether the words of a file (cgroup.controllers, cgroup.subtree_control) have this one.
bool has_word(const std::string& file, std::string_view word);

} // namespace penning::io
