#pragma once

#include <penning/io/pidfd.hpp>

#include <spawn.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

namespace penning::test {

/// A process that penning has not started: a child of this program, killed and reaped at the end
/// unless somebody has done so.
class foreign_child {
 public:
  explicit foreign_child(std::vector<std::string> command) {
    std::vector<char*> argv;
    for (auto& word : command)
      argv.push_back(word.data());
    argv.push_back(nullptr);
    if (::posix_spawn(&pid_, argv[0], nullptr, nullptr, argv.data(), environ) != 0)
      throw std::runtime_error{"posix_spawn"};
  }
  ~foreign_child() {
    ::kill(pid_, SIGKILL);
    wait();
  }
  foreign_child(const foreign_child&) = delete;
  foreign_child& operator=(const foreign_child&) = delete;

  pid_t pid() const { return pid_; }

  /// Reaps it; its status as wait(2) has it, or -1 if that has been done.
  int wait() {
    int status = -1;
    return ::waitpid(pid_, &status, 0) == pid_ ? status : -1;
  }

 private:
  pid_t pid_ = -1;
};

/// One that is no child of this program either. Killed at the end.
class foreign_orphan {
 public:
  explicit foreign_orphan(const std::string& command) {
    auto* shell = ::popen(("(" + command + ") > /dev/null & echo $!").c_str(), "r");
    if (!shell || std::fscanf(shell, "%d", &pid_) != 1)
      throw std::runtime_error{"popen"};
    pidfd_ = io::open_pidfd(pid_);
    ::pclose(shell);
  }
  ~foreign_orphan() { io::signal_pidfd(pidfd_.get(), SIGKILL); }
  foreign_orphan(const foreign_orphan&) = delete;
  foreign_orphan& operator=(const foreign_orphan&) = delete;

  pid_t pid() const { return pid_; }
  bool dies_within(int milliseconds) const { return io::is_dead(pidfd_.get(), milliseconds); }

 private:
  pid_t pid_ = -1;
  io::unique_fd pidfd_;
};

} // namespace penning::test
