#include <penning/io/private_descriptor.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace penning::io {
namespace {

/// Empty where the kernel refuses, as for a socket (ENXIO).
unique_fd open_anew(int fd, private_descriptor::use purpose) {
  struct stat info {};
  if (::fstat(fd, &info) != 0)
    return {};
  bool new_pty = info.st_rdev == makedev(5, 2); // to open /dev/ptmx is to make another one
  if (!S_ISFIFO(info.st_mode) && (new_pty || !::isatty(fd)))
    return {};
  int access = purpose == private_descriptor::use::reading ? O_RDONLY : O_WRONLY;
  auto path = "/proc/self/fd/" + std::to_string(fd);
  return unique_fd(::open(path.c_str(), access | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
}

unique_fd moved_up(int fd, const char* name) {
  unique_fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy)
    throw std::system_error(errno, std::system_category(), name);
  return copy;
}

} // namespace

private_descriptor::private_descriptor(unique_fd fd, use purpose) : fd_(std::move(fd)) {
  if (auto anew = open_anew(fd_.get(), purpose)) {
    fd_ = std::move(anew);
    return;
  }
  int flags = ::fcntl(fd_.get(), F_GETFL);
  if (flags >= 0 && (flags & O_NONBLOCK) == 0
      && ::fcntl(fd_.get(), F_SETFL, flags | O_NONBLOCK) == 0)
    flags_before_ = flags;
}

void private_descriptor::close() noexcept {
  if (fd_ && flags_before_ >= 0)
    ::fcntl(fd_.get(), F_SETFL, flags_before_);
  fd_.reset();
}

protocol_streams take_protocol_streams() {
  protocol_streams result{moved_up(0, "stdin"), moved_up(1, "stdout")};
  unique_fd low(::open("/dev/null", O_RDWR | O_CLOEXEC)); // perhaps as number 2
  if (!low)
    throw std::system_error(errno, std::system_category(), "/dev/null");
  auto null = moved_up(low.get(), "/dev/null");
  low.reset();
  // A closed stderr is filled, lest another descriptor gets its number and what is printed.
  if (::dup2(null.get(), 0) < 0 || (::fcntl(2, F_GETFD) < 0 && ::dup2(null.get(), 2) < 0)
      || ::dup2(2, 1) < 0)
    throw std::system_error(errno, std::system_category(), "/dev/null");
  return result;
}

} // namespace penning::io
