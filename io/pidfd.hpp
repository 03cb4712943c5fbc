#pragma once

#include <penning/io/unique_fd.hpp>

#include <poll.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

namespace penning::io {

// The declarations in the C library's <sys/pidfd.h> lack extern "C" before glibc 2.37.

/// See pidfd_open(2); close-on-exec. Empty, and errno, on an error.
inline unique_fd open_pidfd(pid_t pid) {
  return unique_fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

/// See pidfd_send_signal(2).
inline int signal_pidfd(int pidfd, int number) {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0));
}

/// Whether the process is dead within `milliseconds` (-1: however long it takes); a zombie is.
inline bool is_dead(int pidfd, int milliseconds = 0) {
  pollfd entry{pidfd, POLLIN, 0};
  return ::poll(&entry, 1, milliseconds) != 0;
}

} // namespace penning::io
