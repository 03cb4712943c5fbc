#pragma once

#include <penning/io/unique_fd.hpp>

namespace penning::io {

/// A descriptor that came from outside, made non-blocking without a surprise for those who hold it
/// as well: a shell that has the same terminal, say, whose reads would fail after we are gone.
///
/// O_NONBLOCK belongs to the open file description, which is shared by everyone who inherited it.
/// So a pipe, a FIFO or a terminal is opened anew through /proc/self/fd, which gives a description
/// of our own. Where that cannot be done (a socket, or no permission) the flag is set on the shared
/// one, and taken back when this is destroyed; the other end of a pipe or of a pair of sockets is
/// another description in any case. A regular file never blocks and is left alone.
class private_descriptor {
 public:
  enum class use { reading, writing };

  private_descriptor(unique_fd fd, use purpose);
  ~private_descriptor() { close(); }
  private_descriptor(const private_descriptor&) = delete;
  private_descriptor& operator=(const private_descriptor&) = delete;

  int get() const noexcept { return fd_.get(); }
  explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
  void close() noexcept;

 private:
  unique_fd fd_;
  int flags_before_ = -1; // to be restored, unless -1
};

/// The stdin and stdout that a protocol speaks on.
struct protocol_streams {
  unique_fd in, out;
};

/// Takes them away from the numbers 0 and 1, close-on-exec, so that no print can break a frame:
/// what the program reads from stdin then is empty, what it prints goes to stderr.
/// Throws `std::system_error`, naming the stream, if one is closed.
protocol_streams take_protocol_streams();

} // namespace penning::io
