#include <penning/io/cgroup_plan.hpp>

#include <penning/io/launch_options.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

namespace penning::io {
namespace {

constexpr const char* enabled_below = "/cgroup.subtree_control";

const cgroup_hierarchy& hierarchy_of(const wanted_controller& wanted,
                                     const std::vector<cgroup_hierarchy>& mounts) {
  const auto* found = find_controller(mounts, name_in(1, wanted.name));
  if (found == nullptr)
    found = find_unified(mounts);
  if (found == nullptr)
    throw option_error(wanted.option, wanted.value,
                       "no hierarchy with the controller \"" + wanted.name + "\" is mounted");
  return *found;
}

cgroup_plan::directory place(const cgroup_options& options, const cgroup_hierarchy& where,
                             const cgroup_home& home) {
  cgroup_plan::directory result{.version = where.version, .root = where.root, .top = where.root};
  if (options.path) {
    result.path = where.root + "/" + *options.path;
  } else if (options.base) {
    result.path = where.root + "/" + *options.base + "/" + home.name;
  } else {
    result.top = where.own;
    bool is_runtimes = where.root == home.runtime_root;
    result.path = (is_runtimes ? home.runtime_path : where.own) + "/" + home.name;
  }
  return result;
}

cgroup_plan::directory& directory_for(cgroup_plan& plan, const cgroup_options& options,
                                      const cgroup_hierarchy& where, const cgroup_home& home) {
  auto found = std::ranges::find(plan.directories, where.root, &cgroup_plan::directory::root);
  if (found != plan.directories.end())
    return *found;
  return plan.directories.emplace_back(place(options, where, home));
}

const cgroup_plan::directory* directory_with(const cgroup_plan& plan, std::string_view controller) {
  for (const auto& directory : plan.directories)
    for (const auto& x : directory.controllers)
      if (x.name == controller || name_in(directory.version, x.name) == controller)
        return &directory;
  return nullptr;
}

bool may(const std::string& path, int how) {
  return ::faccessat(AT_FDCWD, path.c_str(), how, AT_EACCESS) == 0;
}

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

/// A cgroup that is not the root of its hierarchy gives no controller to others while somebody
/// lives in it, see "no internal processes" in cgroups(7).
bool is_inhabited(const std::string& directory) {
  pid_t pid = 0;
  return exists(directory + "/cgroup.type")
         && static_cast<bool>(std::ifstream(directory + "/cgroup.procs") >> pid);
}

/// In the last directory on the way that exists, the next one is made.
void check_writable(const cgroup_plan& plan, const cgroup_plan::directory& directory) {
  if (exists(directory.path))
    throw option_error(plan.option, plan.value, directory.path + " exists already");
  std::string last = directory.top;
  for (const auto& step : way_to(directory))
    if (exists(step))
      last = step;
  if (!may(last + "/.", W_OK | X_OK)) // ENOTDIR for a file
    throw option_error(plan.option, plan.value,
                       last + " may not be written: " + std::system_category().message(errno));
}

void check_enabled(const wanted_controller& wanted, const std::string& directory) {
  const auto file = directory + enabled_below;
  if (!exists(directory) || has_word(file, wanted.name))
    return;
  const auto command = "echo +" + wanted.name + " > " + file;
  if (is_inhabited(directory))
    throw option_error(wanted.option, wanted.value,
                       "the controller cannot be enabled while processes live in " + directory
                         + " itself (" + command + "): give a cgroup_base elsewhere");
  if (!may(file, W_OK))
    throw option_error(wanted.option, wanted.value,
                       "the controller is not enabled in " + file + "; to enable it: " + command);
}

void check_available(const wanted_controller& wanted, const cgroup_plan::directory& directory) {
  const auto file = directory.top + "/cgroup.controllers";
  if (has_word(file, wanted.name))
    return;
  auto problem = "the controller is in no v1 hierarchy and not in " + file;
  if (directory.top != directory.root)
    problem += "; to enable it: echo +" + wanted.name + " > "
               + std::filesystem::path(directory.top).parent_path().string() + enabled_below;
  throw option_error(wanted.option, wanted.value, problem);
}

} // namespace

bool has_word(const std::string& file, std::string_view word) {
  std::ifstream words(file);
  for (std::string next; words >> next;)
    if (next == word)
      return true;
  return false;
}

std::vector<std::string> way_to(const cgroup_plan::directory& directory) {
  std::vector<std::string> result{directory.top};
  for (auto end = directory.path.find('/', directory.top.size() + 1); end != std::string::npos;
       end = directory.path.find('/', end + 1))
    result.push_back(directory.path.substr(0, end));
  return result;
}

cgroup_plan plan_cgroup(const cgroup_options& options, const std::vector<cgroup_hierarchy>& mounts,
                        const cgroup_home& home) {
  cgroup_plan plan;
  plan.option = options.path ? "cgroup_path" : "cgroup_base";
  plan.value = options.path ? *options.path : options.base.value_or("");
  for (const auto& wanted : wanted_controllers(options)) {
    const auto& where = hierarchy_of(wanted, mounts);
    auto& directory = directory_for(plan, options, where, home);
    directory.controllers.push_back(wanted);
    for (auto& limit : limits_of(options, wanted.name, where.version)) {
      limit.file = directory.path + "/" + limit.file;
      plan.settings.push_back(std::move(limit));
    }
  }
  for (const auto& set : options.sets)
    if (const auto* directory = directory_with(plan, set.controller))
      plan.settings.push_back({directory->path + "/" + set.key, set.value});
  return plan;
}

void check(const cgroup_plan& plan) {
  for (const auto& directory : plan.directories) {
    check_writable(plan, directory);
    if (directory.version != 2)
      continue;
    for (const auto& wanted : directory.controllers) {
      check_available(wanted, directory);
      for (const auto& step : way_to(directory))
        check_enabled(wanted, step);
    }
  }
}

} // namespace penning::io
