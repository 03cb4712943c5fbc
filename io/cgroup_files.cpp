#include <penning/io/cgroup_files.hpp>

#include <penning/io/pidfd.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <memory>
#include <set>

namespace penning::io {
namespace {

std::error_code last_error() {
  return {errno, std::system_category()};
}

std::vector<std::string> groups_below(const std::string& path) {
  std::vector<std::string> result;
  std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
  while (auto* entry = directory ? ::readdir(directory.get()) : nullptr)
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
      result.push_back(path + "/" + entry->d_name);
  return result;
}

/// `cgroup.procs` lists a process for each that lives, of this cgroup alone.
std::set<pid_t> processes_below(const std::string& path) {
  std::set<pid_t> result;
  std::ifstream list(path + "/cgroup.procs");
  for (pid_t pid = 0; list >> pid;)
    result.insert(pid);
  for (const auto& below : groups_below(path))
    result.merge(processes_below(below));
  return result;
}

} // namespace

unique_fd open_directory(const std::string& path) {
  return unique_fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

std::error_code write_file(int directory, const char* name, std::string_view text) {
  unique_fd file(::openat(directory, name, O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) < 0)
    return last_error();
  return {};
}

unique_fd open_file(int directory, const char* name) {
  return unique_fd(::openat(directory, name, O_RDONLY | O_CLOEXEC));
}

std::optional<std::string> read_file(int directory, const char* name) {
  const auto file = open_file(directory, name);
  return file ? reread(file.get()) : std::nullopt;
}

std::optional<std::string> reread(int file) {
  std::array<char, 4096> text;
  ssize_t size;
  do
    size = ::pread(file, text.data(), text.size(), 0);
  while (size < 0 && errno == EINTR);
  if (size < 0)
    return {};
  return std::string(text.data(), static_cast<std::size_t>(size));
}

bool says_empty(const std::optional<std::string>& events) {
  return events && events->find("populated 0") != std::string::npos;
}

std::vector<held_member> hold_processes(const std::string& path, std::size_t limit,
                                        std::error_code& error) {
  std::vector<held_member> held;
  for (pid_t pid : processes_below(path)) {
    if (held.size() == limit)
      break;
    if (auto pidfd = open_pidfd(pid))
      held.push_back({pid, std::move(pidfd)});
    else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
      error = last_error();
  }
  if (held.empty())
    return held;
  error.clear();
  const auto still = processes_below(path);
  std::erase_if(held, [&](const held_member& member) {
    return !still.contains(member.pid) || is_dead(member.pidfd.get());
  });
  return held;
}

std::error_code remove_cgroup(const std::string& path) {
  if (::rmdir(path.c_str()) == 0 || errno == ENOENT)
    return {};
  if (errno != EBUSY && errno != ENOTEMPTY)
    return last_error();
  std::error_code error;
  for (const auto& below : groups_below(path))
    if (auto failed = remove_cgroup(below))
      error = failed;
  if (!error && ::rmdir(path.c_str()) != 0 && errno != ENOENT)
    error = last_error();
  return error;
}

} // namespace penning::io
