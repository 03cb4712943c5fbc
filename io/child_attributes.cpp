#include <penning/io/child_attributes.hpp>

#include <penning/io/in_child.hpp>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

// On a 32-bit machine these system calls take ids of 16 bits; others there take all of them.
static_assert(sizeof(void*) == 8);

namespace penning::io {
namespace {

constexpr int capability_bits = 64; // the kernel has fewer; it says where they end

std::mutex& account_changes() {
  static std::mutex mutex;
  return mutex;
}

} // namespace

child_attributes resolve_attributes(const launch_options& options) {
  child_attributes result{.limits = resolve_limits(options.rlimits),
                          .nice = options.nice,
                          .umask = options.umask,
                          .account = resolve_account(options),
                          .no_new_privs = options.no_new_privs};
  if (options.capabilities)
    result.capabilities = resolve_capabilities(*options.capabilities);
  if (options.umask.value_or(0) > 0777)
    throw option_error("umask", std::to_string(*options.umask), "must be 0 to 511 (octal 0777)");
  if (options.nice.value_or(0) < -20 || options.nice.value_or(0) > 19)
    throw option_error("nice", std::to_string(*options.nice), "must be -20 to 19");
  return result;
}

attribute_setter::error_code attribute_setter::on_setup(launcher&, const path&,
                                                        const char* const*&) {
  if (what_.account.changes()) {
    alone_ = std::unique_lock(account_changes());
    was_dumpable_ = ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1;
  }
  return {};
}

attribute_setter::~attribute_setter() {
  if (was_dumpable_)
    ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

// ---- in the child: system calls and nothing else ----

PENNING_IN_CHILD attribute_setter::error_code
attribute_setter::on_exec_setup(launcher&, const path&, const char* const*) {
  return {apply() ? 0 : errno, boost::system::system_category()};
}

PENNING_IN_CHILD bool attribute_setter::succeeded(long result, const char* call) {
  step = call;
  return result >= 0;
}

PENNING_IN_CHILD bool attribute_setter::apply() {
  if (!set_limits())
    return false;
  if (what_.nice
      && !succeeded(::syscall(SYS_setpriority, PRIO_PROCESS, 0, *what_.nice), "setpriority"))
    return false;
  if (what_.umask)
    ::syscall(SYS_umask, *what_.umask);
  if (what_.capabilities.changes() && !narrow_bounding_set())
    return false;
  if (!change_account())
    return false;
  if (what_.capabilities.changes() && !set_capabilities())
    return false;
  return !what_.no_new_privs
         || succeeded(::syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
                      "prctl(PR_SET_NO_NEW_PRIVS)");
}

PENNING_IN_CHILD bool attribute_setter::set_limits() {
  for (const auto& limit : what_.limits) {
    const std::uint64_t values[] = {limit.soft, limit.hard}; // struct rlimit64
    if (!succeeded(::syscall(SYS_prlimit64, 0, limit.resource, values, nullptr), limit.step))
      return false;
  }
  return true;
}

/// A program can never gain what is not in the set, though a file or root's user id would give it.
PENNING_IN_CHILD bool attribute_setter::narrow_bounding_set() {
  for (int number = 0; number < capability_bits; ++number) {
    long is_in = ::syscall(SYS_prctl, PR_CAPBSET_READ, number, 0, 0, 0);
    if (is_in < 0)
      return true; // beyond the last that this kernel has
    bool is_allowed = (what_.capabilities.allowed >> number & 1) != 0;
    if (is_in == 1 && !is_allowed
        && !succeeded(::syscall(SYS_prctl, PR_CAPBSET_DROP, number, 0, 0, 0),
                      "prctl(PR_CAPBSET_DROP)"))
      return false;
  }
  return true;
}

/// The groups first: without root's user id they could not be changed any more.
PENNING_IN_CHILD bool attribute_setter::change_account() {
  const auto& [user, group, groups] = what_.account;
  if (groups && !succeeded(::syscall(SYS_setgroups, groups->size(), groups->data()), "setgroups"))
    return false;
  if (group && !succeeded(::syscall(SYS_setresgid, *group, *group, *group), "setresgid"))
    return false;
  if (!user)
    return true;
  // Else the kernel clears the permitted set; execve(2) turns this off again.
  if (what_.capabilities.is_exact
      && !succeeded(::syscall(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl(PR_SET_KEEPCAPS)"))
    return false;
  if (!succeeded(::syscall(SYS_setresuid, *user, *user, *user), "setresuid"))
    return false;
  // The kernel has done this for a runtime that was root, but for no other.
  return what_.capabilities.is_exact
         || succeeded(::syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0),
                      "prctl(PR_CAP_AMBIENT_CLEAR_ALL)");
}

PENNING_IN_CHILD bool attribute_setter::set_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct words[2]{}; // the lower 32 capabilities, then the others
  const auto& [allowed, is_exact] = what_.capabilities;
  if (!is_exact && !succeeded(::syscall(SYS_capget, &header, words), "capget"))
    return false;
  for (int half = 0; half < 2; ++half) {
    auto bits = static_cast<std::uint32_t>(allowed >> (32 * half));
    auto& [effective, permitted, inheritable] = words[half];
    effective = is_exact ? bits : effective & bits;
    permitted = is_exact ? bits : permitted & bits;
    inheritable = is_exact ? bits : inheritable & bits;
  }
  return succeeded(::syscall(SYS_capset, &header, words), "capset")
         && (!is_exact || raise_ambient());
}

/// Only ambient capabilities outlive the execve(2) of a plain file by another user than root. What
/// has been taken from the permitted set has left the ambient one with it.
PENNING_IN_CHILD bool attribute_setter::raise_ambient() {
  for (int number = 0; number < capability_bits; ++number)
    if ((what_.capabilities.allowed >> number & 1) != 0
        && !succeeded(::syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0),
                      "prctl(PR_CAP_AMBIENT_RAISE)"))
      return false;
  return true;
}

} // namespace penning::io
