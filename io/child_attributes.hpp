#pragma once

#include <penning/io/capabilities.hpp>
#include <penning/io/child_account.hpp>
#include <penning/io/clone_launcher.hpp>
#include <penning/io/resource_limits.hpp>

#include <mutex>
#include <optional>
#include <vector>

namespace penning::io {

/// What a child changes about itself before it executes its program: numbers only, all names
/// looked up.
struct child_attributes {
  std::vector<kernel_limit> limits{};
  std::optional<int> nice{};
  std::optional<std::uint32_t> umask{};
  capability_limit capabilities{};
  child_account account{};
  bool no_new_privs = false;
};

/// Throws `option_error` for what cannot be meant; whether the kernel permits it shows in the
/// child.
child_attributes resolve_attributes(const launch_options& options);

/// An initialiser of a launch that applies attributes in the child, in this order: limits, nice,
/// umask, bounding set, groups, user, capabilities, no_new_privs. What needs a right comes before
/// the loss of it. For one launch; a system call only for what is set.
///
/// A change of user or group makes the memory that the child shares with us undumpable: a core dump
/// of ours would be lost and /proc/self be root's. Until the child has left that memory this is
/// right, as it keeps the new user from tracing its way into ours; the destructor undoes it. So
/// of all launches in the process that change an account only one is under way at a time.
/// Sources: credentials(7), capabilities(7), PR_SET_DUMPABLE(2const), `commit_creds` in Linux.
class attribute_setter {
 public:
  explicit attribute_setter(const child_attributes& what) : what_(what) {}
  ~attribute_setter();
  attribute_setter(const attribute_setter&) = delete;
  attribute_setter& operator=(const attribute_setter&) = delete;

  const char* step = ""; ///< The system call that failed, or is under way.

  using launcher = boost::process::v2::posix::default_launcher;
  using path = clone_launcher::path;
  using error_code = clone_launcher::error_code;
  error_code on_setup(launcher&, const path&, const char* const*&);
  error_code on_exec_setup(launcher&, const path&, const char* const*);

 private:
  bool apply();
  bool set_limits();
  bool narrow_bounding_set();
  bool change_account();
  bool set_capabilities();
  bool raise_ambient();
  bool succeeded(long result, const char* call);

  const child_attributes& what_;
  std::unique_lock<std::mutex> alone_;
  bool was_dumpable_ = false;
};

} // namespace penning::io
