#pragma once

#include <penning/io/launch_options.hpp>

#include <sys/types.h>

#include <optional>
#include <vector>

namespace penning::io {

/// The user and the groups of a child as numbers; what is not set stays as the runtime has it.
struct child_account {
  std::optional<uid_t> user{};
  std::optional<gid_t> group{};
  std::optional<std::vector<gid_t>> groups{};

  bool changes() const noexcept { return user || group || groups; }
};

/// Looks `uid`, `gid` and `groups` up in the system's databases.
///
/// A user brings its primary group, and its supplementary ones as initgroups(3) has them; one that
/// is in no database brings none, and needs a `gid`. Without `uid` only what is named changes.
/// Throws `option_error` naming `uid`, `gid` or `groups`: for an unknown name, for the number -1,
/// which means "unchanged" to the kernel, and, unless `allow_root` is set, for whatever would make
/// the child root or a member of root's group.
/// Cost: nothing without these options; else what nsswitch.conf(5) asks for, which may be a server.
child_account resolve_account(const launch_options& options);

} // namespace penning::io
