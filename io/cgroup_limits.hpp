#pragma once

// Not installed: what the options of a child's control group mean to the kernel.

#include <penning/io/cgroup_options.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace penning::io {

/// What is written to a file of a control group.
struct cgroup_setting {
  std::string file{};
  std::string value{};
  bool where_present = false; ///< Passed over where the kernel does not have this file.

  friend bool operator==(const cgroup_setting&, const cgroup_setting&) = default;
};

/// A controller that the options need, and the option and value that say so.
struct wanted_controller {
  std::string name{}; ///< As v2 has it: "io", which v1 calls "blkio".
  std::string option{};
  std::string value{};

  friend bool operator==(const wanted_controller&, const wanted_controller&) = default;
};

/// Throws `option_error` for a limit of 0, for less than a thousandth of a processor, for a device
/// that is none, for a `base` or `path` that could lead elsewhere, and for a set of a controller
/// that is not wanted. Of the file system only the devices are looked at.
void validate(const cgroup_options& options);

/// Those of the limits, then `options.controllers`; each once.
std::vector<wanted_controller> wanted_controllers(const cgroup_options& options);

/// As a version of the hierarchies calls a controller.
std::string_view name_in(int version, std::string_view controller);

/// The limits of one controller, in the order in which they are to be written.
/// Source: "Control Group v2" and cgroup-v1/ in the kernel's admin-guide, sched-bwc.
std::vector<cgroup_setting> limits_of(const cgroup_options& options, std::string_view controller,
                                      int version);

} // namespace penning::io
