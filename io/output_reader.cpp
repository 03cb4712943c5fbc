#include <penning/io/output_reader.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace penning::io {

namespace {

/// More than a terminal holds. Linux lets a pseudo-terminal have 8 KiB before the line discipline
/// and 4 KiB within it (`pty_common_install` and N_TTY_BUF_SIZE in drivers/tty), which its
/// bookkeeping exceeds (20 KiB were measured); before 3.14 it was 64 KiB. A read waits for what is
/// on its way from one to the other before it says EAGAIN or EIO.
constexpr std::size_t terminal_capacity = 80UL * 1024;

} // namespace

void output_reader::grant(std::size_t bytes) {
  bool was_idle = window_ == 0;
  window_ += std::min(bytes, std::numeric_limits<std::size_t>::max() - window_);
  if (was_idle && window_ > 0 && fd_)
    read();
}

/// Reads once and hands it on; 0 at the end of the stream, -1 and errno as read(2).
ssize_t output_reader::receive(std::size_t limit) {
  ssize_t count;
  do
    count = ::read(fd_.get(), buffer_.data(), std::min(limit, buffer_.size()));
  while (count < 0 && errno == EINTR);
  if (count > 0)
    events_.received(which_, {buffer_.data(), buffer_.data() + count});
  return count;
}

// One chunk per turn, so that a child that floods does not keep the others waiting.
void output_reader::read() {
  ssize_t count = receive(window_);
  if (count == 0 || (count < 0 && errno != EAGAIN)) { // EIO: the end of a terminal
    close();
    events_.reached_end(which_);
    return;
  }
  if (count > 0)
    window_ -= static_cast<std::size_t>(count);
  if (window_ > 0)
    wait();
  else if (watch_.is_open())
    watch_.release();
}

void output_reader::wait() {
  boost::system::error_code error;
  if (!watch_.is_open())
    watch_.assign(fd_.get(), error);
  if (error) { // ENOMEM or ENOSPC of epoll_ctl(2): no byte more can be had
    close();
    events_.reached_end(which_);
    return;
  }
  watch_.async_wait(watch_.wait_read, [this, alive = events_.keep_alive()](auto aborted) {
    if (!aborted && fd_) // it may have been closed when the wait was over already
      read();
  });
}

void output_reader::drain() {
  if (!fd_)
    return;
  int capacity = ::fcntl(fd_.get(), F_GETPIPE_SZ);
  auto left = capacity < 0 ? terminal_capacity : static_cast<std::size_t>(capacity);
  for (ssize_t count = 1; left > 0 && count > 0;)
    if ((count = receive(left)) > 0)
      left -= static_cast<std::size_t>(count);
  close();
}

void output_reader::close() {
  if (watch_.is_open())
    watch_.release();
  fd_.reset();
}

} // namespace penning::io
