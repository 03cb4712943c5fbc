#pragma once

#include <penning/io/unique_fd.hpp>

#include <sys/types.h>

#include <string>
#include <vector>

namespace penning::bench {

/// A child of posix_spawn(3) and our ends of its pipes: what limits are made of. Nobody else looks
/// after it: `reap` it.
struct plain_child {
  pid_t pid = -1;
  io::unique_fd in{}, out{}, err{};
};

/// Which of the three streams are pipes; the others are ours.
struct piped {
  bool in = false, out = false, err = false;
};

/// Throws `std::system_error`.
plain_child spawn_plainly(const std::string& program, const std::vector<std::string>& args,
                          piped streams);

/// waitpid(2); however it has ended.
void reap(const plain_child& child);

/// SIGKILL, and the same.
void kill_and_reap(const plain_child& child);

} // namespace penning::bench
