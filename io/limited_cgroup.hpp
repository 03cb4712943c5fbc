#pragma once

// Not installed.

#include <penning/io/cgroup_plan.hpp>
#include <penning/io/unique_fd.hpp>

#include <string>
#include <system_error>
#include <vector>

namespace penning::io {

/// The control group of one child that asked for one: a directory in each hierarchy that has a part
/// in it. Never given to another child; what was made is removed at the latest with this.
class limited_cgroup {
 public:
  struct directory {
    std::string path;
    int version = 2;
    bool stops_forks = false; ///< One in which a fork bomb can be ended.
    unique_fd open{};         ///< Until its child has been started.
  };

  limited_cgroup() = default;
  ~limited_cgroup() { remove(); }
  limited_cgroup(limited_cgroup&&) = default;
  limited_cgroup& operator=(limited_cgroup&&) = delete;

  /// Makes the directories, enables the controllers on the way to them, writes the settings. On an
  /// error nothing is left, and `what` names the call and its object: "write FILE VALUE".
  std::error_code make(const cgroup_plan& plan, std::string& what);

  /// Removes each, and what is below it. EBUSY while a process lives there.
  std::error_code remove();

  bool empty() const noexcept { return directories_.empty(); }
  const std::vector<directory>& directories() const noexcept { return directories_; }

  /// The one where its processes are best looked for and killed; there must be one.
  const directory& best() const;

  /// Of those that somebody has removed, or else of all: "PATH, PATH".
  std::string names() const;

  void close();

 private:
  std::error_code add(const cgroup_plan::directory& made, std::string& what);

  std::vector<directory> directories_;
};

} // namespace penning::io
