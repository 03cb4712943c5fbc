#pragma once

#include <unistd.h>

#include <utility>

namespace penning::io {

/// Owns one file descriptor; closes it once. Moves only.
class unique_fd {
 public:
  unique_fd() = default;
  explicit unique_fd(int fd) noexcept : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(other.release()) {}
  unique_fd& operator=(unique_fd&& other) noexcept {
    if (this != &other)
      reset(other.release());
    return *this;
  }
  ~unique_fd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }

  void reset(int fd = -1) noexcept {
    if (fd_ >= 0)
      ::close(fd_); // not repeated on EINTR: close(2) has freed the number then
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

} // namespace penning::io
