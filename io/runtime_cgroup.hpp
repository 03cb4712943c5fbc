#pragma once

#include <penning/io/cgroup_files.hpp>
#include <penning/io/cgroup_plan.hpp>
#include <penning/io/cgroup_statistics.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <vector>

namespace penning::io {

/// A control group of one child, in the directory of its runtime.
struct child_cgroup {
  std::uint32_t number = 0;               ///< 0: none.
  cgroup_files files{};                   ///< At least the directory until its child has started.
  bool is_new = true;                     ///< Nobody was in it before.
  std::optional<processor_time> before{}; ///< Used by those who were, if that is known.

  explicit operator bool() const noexcept { return number != 0; }

  /// To be called once its child has been started: one that lives long needs no descriptor for it.
  void close() {
    if (!files.kept)
      files = {};
  }
};

/// The control groups of a runtime: a directory of its own beside it, and below that one for each
/// child. What a runtime that was killed has left is removed by the next one. Thread safe.
class runtime_cgroup {
 public:
  /// Makes the directory in the v2 hierarchy, or in one of v1: the first of `versions` that works.
  /// `version` is 0 where none may be made.
  explicit runtime_cgroup(const std::vector<int>& versions);
  ~runtime_cgroup();
  runtime_cgroup(const runtime_cgroup&) = delete;
  runtime_cgroup& operator=(const runtime_cgroup&) = delete;

  int version() const noexcept { return version_; }
  const std::string& path() const noexcept { return path_; }
  std::string path(const child_cgroup& group) const;

  /// For the own control group of one more child.
  cgroup_home home();

  /// Whether such a plan has a place for the child in the hierarchy of this runtime, where it can
  /// be in one control group only.
  bool is_replaced_by(const cgroup_plan& plan) const;

  /// What runtimes that were killed have left in a directory; done once for each.
  void clean(const std::string& directory);

  /// An empty one: that of a child which has ended, or a new one. Errors: those of mkdir(2).
  child_cgroup acquire(std::error_code& error);

  /// Gives one back that is empty. It is removed, rather than kept for the next child, if it was
  /// changed (`is_as_new` false, or it has cgroups below it) or if there are enough of them.
  void release(child_cgroup group, bool is_as_new);

 private:
  child_cgroup take_spare();
  void open_files(child_cgroup& group);
  bool open(const cgroup_hierarchy& where);

  const std::string name_;
  int version_ = 0;
  std::string root_, path_;
  std::mutex mutex_;
  std::vector<child_cgroup> spare_;
  const std::shared_ptr<void> keeper_ = std::make_shared<char>(); ///< One use for each kept.
  std::set<std::string> clean_;
  std::atomic<std::uint32_t> last_ = 0, last_home_ = 0;
};

} // namespace penning::io
