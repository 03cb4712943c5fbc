#include <penning/io/child_account.hpp>

#include <penning/io/option_checks.hpp>

#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <cstdint>
#include <string>

namespace penning::io {
namespace {

constexpr auto root_refused = "root is refused unless allow_root is set";

std::string text_of(const account& who) {
  if (const auto* number = std::get_if<std::uint32_t>(&who))
    return std::to_string(*number);
  return std::get<std::string>(who);
}

/// An entry of a database and the bytes that it points to.
template <class Entry>
struct record {
  Entry entry{};
  std::vector<char> bytes = std::vector<char>(1024);
  bool is_found = false;
};

/// Calls one of the getpwnam_r(3) family with as much room as it asks for. That manual page lists
/// what they return for "not found"; any other error is told.
template <class Entry, class Key>
record<Entry> look_up(int (*call)(Key, Entry*, char*, std::size_t, Entry**), Key key,
                      const char* option, const account& who) {
  record<Entry> result;
  Entry* found = nullptr;
  int error;
  while ((error = call(key, &result.entry, result.bytes.data(), result.bytes.size(), &found))
         == ERANGE)
    result.bytes.resize(result.bytes.size() * 2);
  result.is_found = error == 0 && found != nullptr;
  for (int not_found : {ENOENT, ESRCH, EBADF, EPERM})
    if (error == not_found)
      error = 0;
  if (error != 0)
    throw option_error(option, text_of(who), std::system_category().message(error));
  return result;
}

std::uint32_t checked(std::uint32_t id, const char* option, const account& who, bool allow_root) {
  if (id == UINT32_MAX)
    throw option_error(option, text_of(who), "is no id");
  if (id == 0 && !allow_root)
    throw option_error(option, text_of(who), root_refused);
  return id;
}

gid_t group_of(const account& who, const char* option, bool allow_root) {
  if (const auto* number = std::get_if<std::uint32_t>(&who))
    return checked(*number, option, who, allow_root);
  const auto& name = std::get<std::string>(who);
  refuse_nul(option, name);
  auto found = look_up(::getgrnam_r, name.c_str(), option, who);
  if (!found.is_found)
    throw option_error(option, name, "no such group");
  return checked(found.entry.gr_gid, option, who, allow_root);
}

/// The user's entry; one that has only a number need not be found.
record<passwd> user_of(const account& who) {
  if (const auto* number = std::get_if<std::uint32_t>(&who)) {
    auto result = look_up(::getpwuid_r, uid_t{*number}, "uid", who);
    result.entry.pw_uid = *number;
    return result;
  }
  const auto& name = std::get<std::string>(who);
  refuse_nul("uid", name);
  auto result = look_up(::getpwnam_r, name.c_str(), "uid", who);
  if (!result.is_found)
    throw option_error("uid", name, "no such user");
  return result;
}

/// As initgroups(3): every group that lists the user, and `group`.
std::vector<gid_t> groups_of(const record<passwd>& user, gid_t group) {
  if (!user.is_found)
    return {};
  std::vector<gid_t> result(32);
  for (;;) {
    int count = static_cast<int>(result.size());
    bool fits = ::getgrouplist(user.entry.pw_name, group, result.data(), &count) >= 0;
    result.resize(fits ? static_cast<std::size_t>(count) : result.size() * 2);
    if (fits)
      return result;
  }
}

std::vector<gid_t> listed_groups(const launch_options& options) {
  std::vector<gid_t> result;
  for (const auto& who : *options.groups)
    result.push_back(group_of(who, "groups", options.allow_root));
  return result;
}

/// Fills in what the options leave to the user's entry.
void resolve_user(child_account& result, const launch_options& options) {
  auto user = user_of(*options.uid);
  auto text = text_of(*options.uid);
  result.user = checked(user.entry.pw_uid, "uid", *options.uid, options.allow_root);
  if (!result.group && !user.is_found)
    throw option_error("uid", text, "no such user: without one it needs a gid as well");
  if (!result.group)
    result.group = user.entry.pw_gid;
  if (!result.groups)
    result.groups = groups_of(user, *result.group);
  if (options.allow_root)
    return;
  if (*result.group == 0)
    throw option_error("uid", text, std::string("its group: ") + root_refused);
  for (auto group : *result.groups)
    if (group == 0)
      throw option_error("uid", text, std::string("one of its groups: ") + root_refused);
}

} // namespace

child_account resolve_account(const launch_options& options) {
  child_account result;
  if (options.gid)
    result.group = group_of(*options.gid, "gid", options.allow_root);
  if (options.groups)
    result.groups = listed_groups(options);
  if (options.uid)
    resolve_user(result, options);
  return result;
}

} // namespace penning::io
