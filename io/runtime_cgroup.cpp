#include <penning/io/runtime_cgroup.hpp>

#include <penning/io/cgroup_files.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>

namespace penning::io {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t spare_groups = 64;
constexpr long kept_files = 32; // so many control groups, the spare ones counted

/// Tells apart what has the same pid in another container that shares the hierarchy.
std::string name_prefix() {
  struct stat info {};
  ::stat("/proc/self/ns/pid", &info);
  return "penning-" + std::to_string(info.st_ino) + "-";
}

std::optional<std::uint64_t> start_of(pid_t pid) {
  std::string line;
  std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), line);
  auto stat = parse_stat(line);
  return stat ? std::optional(stat->start) : std::nullopt;
}

/// `PID-START-NUMBER`: the start as well, since a pid is given again.
std::string runtime_name() {
  static std::atomic<unsigned> count = 0;
  auto start = start_of(::getpid()).value_or(0);
  return std::to_string(::getpid()) + "-" + std::to_string(start) + "-" + std::to_string(++count);
}

bool runs(std::string_view name) {
  pid_t pid = 0;
  std::uint64_t start = 0;
  auto [dash, no_pid] = std::from_chars(name.begin(), name.end(), pid);
  if (no_pid != std::errc{} || dash == name.end() || *dash != '-')
    return true; // not one of ours
  auto [end, no_start] = std::from_chars(dash + 1, name.end(), start);
  return no_start != std::errc{} || start_of(pid) == start;
}

/// What a runtime has left that was killed together with its guardian.
void remove_leftovers(const std::string& directory, const std::string& prefix) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    auto name = entry.path().filename().string();
    if (!name.starts_with(prefix) || runs(std::string_view(name).substr(prefix.size())))
      continue;
    if (auto left = open_directory(entry.path()))
      write_file(left.get(), "cgroup.kill", "1");
    remove_cgroup(entry.path());
  }
}

/// The v1 hierarchy that can keep a fork bomb from going on.
const cgroup_hierarchy* best_of_v1(const std::vector<cgroup_hierarchy>& mounts) {
  const auto* pids = find_controller(mounts, "pids");
  return pids != nullptr ? pids : find_controller(mounts, "freezer");
}

} // namespace

runtime_cgroup::runtime_cgroup(const std::vector<int>& versions)
    : name_(name_prefix() + runtime_name()) {
  if (versions.empty())
    return;
  const auto mounts = cgroup_mounts();
  for (int version : versions) {
    const auto* where = version == 2 ? find_unified(mounts) : best_of_v1(mounts);
    if (where != nullptr && open(*where))
      return;
  }
}

bool runtime_cgroup::open(const cgroup_hierarchy& where) {
  clean(where.own);
  auto path = where.own + "/" + name_;
  if (::mkdir(path.c_str(), 0755) != 0)
    return false;
  bool can_kill = ::access((path + "/cgroup.kill").c_str(), W_OK) == 0; // since Linux 5.14
  if (where.version == 2 && !can_kill) {
    ::rmdir(path.c_str());
    return false;
  }
  version_ = where.version;
  root_ = where.root;
  path_ = std::move(path);
  return true;
}

runtime_cgroup::~runtime_cgroup() {
  if (version_ != 0)
    remove_cgroup(path_); // where a process of somebody else lives there it stays
}

std::string runtime_cgroup::path(const child_cgroup& group) const {
  return path_ + "/" + std::to_string(group.number);
}

cgroup_home runtime_cgroup::home() {
  return {root_, path_, name_ + "-" + std::to_string(++last_home_)};
}

bool runtime_cgroup::is_replaced_by(const cgroup_plan& plan) const {
  return version_ != 0
         && std::ranges::find(plan.directories, root_, &cgroup_plan::directory::root)
              != plan.directories.end();
}

void runtime_cgroup::clean(const std::string& directory) {
  {
    std::lock_guard lock(mutex_);
    if (!clean_.insert(directory).second)
      return;
  }
  remove_leftovers(directory, name_prefix());
}

child_cgroup runtime_cgroup::acquire(std::error_code& error) {
  auto group = take_spare();
  group.is_new = !group;
  if (group.is_new) {
    group.number = ++last_;
    if (::mkdir(path(group).c_str(), 0755) != 0) {
      error.assign(errno, std::system_category());
      return {};
    }
  }
  open_files(group);
  const auto& files = group.files;
  if (files.directory && !group.is_new && version_ == 2)
    group.before = files.times ? processor_time_in(reread(files.times.get()))
                               : read_processor_time(files.directory.get());
  if (files.directory)
    return group;
  if (!group.is_new && errno == ENOENT) // removed by somebody else
    return acquire(error);
  error.assign(errno, std::system_category());
  ::rmdir(path(group).c_str());
  return {};
}

child_cgroup runtime_cgroup::take_spare() {
  std::lock_guard lock(mutex_);
  if (spare_.empty())
    return {};
  auto group = std::move(spare_.back());
  spare_.pop_back();
  return group;
}

/// The directory, and of a few groups what is read at each start and each end as well.
void runtime_cgroup::open_files(child_cgroup& group) {
  auto& files = group.files;
  if (files.directory)
    return;
  files.directory = open_directory(path(group));
  if (!files.directory || version_ != 2 || keeper_.use_count() > kept_files)
    return;
  files.events = open_file(files.directory.get(), "cgroup.events");
  files.times = open_file(files.directory.get(), "cpu.stat");
  if (files.events && files.times)
    files.kept = keeper_;
}

void runtime_cgroup::release(child_cgroup group, bool is_as_new) {
  if (!group)
    return;
  const auto name = path(group);
  struct stat info {};
  const bool is_known = group.files.directory ? ::fstat(group.files.directory.get(), &info) == 0
                                              : ::stat(name.c_str(), &info) == 0;
  if (is_as_new && is_known && info.st_nlink == 2) { // with none below it
    std::lock_guard lock(mutex_);
    group.close();
    if (spare_.size() < spare_groups)
      return spare_.push_back(std::move(group));
  }
  remove_cgroup(name); // what it cannot remove goes with the runtime's own directory
}

} // namespace penning::io
