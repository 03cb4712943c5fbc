#pragma once

#include <penning/io/unique_fd.hpp>

#include <system_error>

namespace penning::io {

/// A pipe between us and a child: both ends close-on-exec, ours non-blocking. The two ends are
/// separate open file descriptions, so the child's end blocks as it expects.
struct child_pipe {
  unique_fd ours, theirs;
};

enum class our_end { reads, writes };

/// Errors: those of pipe2(2), EMFILE and ENFILE above all.
std::error_code open_pipe(child_pipe& pipe, our_end end);

/// Sets O_NONBLOCK on the open file description of `fd`, see fcntl(2).
std::error_code make_non_blocking(int fd);

/// The same descriptor, or a copy above 2 in its place if it was 0, 1 or 2, as happens in a host
/// that has closed its own: what a child gets as 0 to 2 would overwrite it.
std::error_code keep_off_stdio(unique_fd& fd);

} // namespace penning::io
