#pragma once

#include <penning/io/pidfd.hpp>

#include <dirent.h>
#include <fcntl.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace penning::io::test {

/// Any process, held by a pidfd from the moment at which its pid was known, so never another one.
class held_process {
 public:
  explicit held_process(pid_t pid) : pid_(pid), pidfd_(open_pidfd(pid)) {}

  pid_t pid() const { return pid_; }

  /// A zombie counts as dead: who reaps it is not our business.
  bool dies_within(std::chrono::milliseconds time) const {
    return !pidfd_ || is_dead(pidfd_.get(), static_cast<int>(time.count()));
  }
  bool alive() const { return !dies_within(std::chrono::milliseconds(0)); }

 private:
  pid_t pid_;
  unique_fd pidfd_;
};

inline std::vector<held_process> hold(const std::string& pids) {
  std::istringstream words(pids);
  std::vector<held_process> result;
  for (pid_t pid = 0; words >> pid;)
    result.emplace_back(pid);
  return result;
}

/// As /proc/PID/stat has it: R, S, T for stopped, Z for a zombie.
inline char state_of(pid_t pid) {
  std::string line;
  std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), line);
  return line.empty() ? '?' : line.at(line.rfind(')') + 2);
}

inline std::size_t open_descriptors() {
  namespace fs = std::filesystem;
  return static_cast<std::size_t>(
    std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator{}));
}

/// The guardian's name as /proc/PID/comm has it: its first 15 letters.
inline constexpr const char* guardian_comm = "penning-guardia";

/// The pids of the children of a process (this one by default), zombies included, whose name is
/// `comm`, or all of them.
inline std::vector<pid_t> children_named(const std::string& comm = {}, pid_t parent = ::getpid()) {
  namespace fs = std::filesystem;
  std::vector<pid_t> result;
  std::error_code gone;
  fs::directory_iterator tasks("/proc/" + std::to_string(parent) + "/task", gone);
  for (const auto& task : tasks) {
    std::ifstream list(task.path() / "children");
    for (pid_t pid = 0; list >> pid;) {
      std::string name;
      std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/comm"), name);
      if (comm.empty() || name == comm)
        result.push_back(pid);
    }
  }
  return result;
}

/// The living processes that have this in their environment: `NAME=value`, unique to a test.
inline std::vector<pid_t> living_with(const std::string& variable) {
  namespace fs = std::filesystem;
  std::vector<pid_t> result;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator("/proc", gone)) {
    auto pid = static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
    std::ostringstream environment;
    if (pid == 0 || !(environment << std::ifstream(entry.path() / "environ").rdbuf()))
      continue;
    if (environment.str().find(variable + '\0') != std::string::npos && state_of(pid) != 'Z')
      result.push_back(pid);
  }
  return result;
}

/// Asks again until there is none, or the time is over: what is left then.
inline std::vector<pid_t> left_after(std::chrono::milliseconds time, const std::string& variable) {
  auto end = std::chrono::steady_clock::now() + time;
  for (;;) {
    auto left = living_with(variable);
    if (left.empty() || std::chrono::steady_clock::now() > end)
      return left;
  }
}

/// Whether this process has no child left but guardians, zombies counted. A guardian that has only
/// just been started has no name yet, so this asks more than once.
inline bool only_guardians_left() {
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (children_named() != children_named(guardian_comm))
    if (std::chrono::steady_clock::now() > end)
      return false;
  return true;
}

} // namespace penning::io::test
