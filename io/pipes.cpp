#include <penning/io/pipes.hpp>

#include <fcntl.h>

#include <cerrno>

namespace penning::io {
namespace {

std::error_code last_error() {
  return {errno, std::system_category()};
}

} // namespace

std::error_code make_non_blocking(int fd) {
  int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
    return last_error();
  return {};
}

std::error_code keep_off_stdio(unique_fd& fd) {
  if (fd.get() > 2)
    return {};
  int copy = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3);
  if (copy < 0)
    return last_error();
  fd.reset(copy);
  return {};
}

std::error_code open_pipe(child_pipe& pipe, our_end end) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0)
    return last_error();
  bool reads = end == our_end::reads;
  pipe.ours.reset(fds[reads ? 0 : 1]);
  pipe.theirs.reset(fds[reads ? 1 : 0]);
  if (::fcntl(pipe.ours.get(), F_SETFL, O_NONBLOCK) != 0) // a new pipe has no other flag to keep
    return last_error();
  return {};
}

} // namespace penning::io
