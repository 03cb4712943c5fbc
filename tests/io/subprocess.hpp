#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

namespace penning::io::test {

/// Runs `body` in a process of its own, whose limits, descriptors and signals it may spoil, and
/// gives what it returned (0 for success), or minus the signal that ended it. No thread may be
/// running.
template <class Body>
int in_subprocess(Body body) {
  std::fflush(nullptr);
  pid_t pid = ::fork();
  if (pid == 0)
    ::_exit(body());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

} // namespace penning::io::test
