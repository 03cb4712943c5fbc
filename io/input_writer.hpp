#pragma once

#include <penning/io/stream_events.hpp>
#include <penning/io/unique_fd.hpp>
#include <penning/io/watched_descriptor.hpp>
#include <penning/io/write_queue.hpp>

#include <optional>

namespace penning::io {

/// How a child's input ends: a pipe by being closed, a terminal by a character that is typed.
enum class input_end { closing, character };

/// Writes a child's stdin without ever blocking: what the pipe does not take waits in a queue, and
/// the pipe is polled only while something waits. SIGPIPE must be blocked or ignored in the thread.
///
/// A terminal is one as well, with a buffer of 4 KiB and some more before it. In canonical mode it
/// takes, and loses, what exceeds 4095 bytes of a line; otherwise it takes no more than it can
/// hold.
class input_writer {
 public:
  input_writer(boost::asio::io_context& io, stream_events& events) : watch_(io), events_(events) {}
  ~input_writer() { close(); }
  input_writer(const input_writer&) = delete;
  input_writer& operator=(const input_writer&) = delete;

  void open(unique_fd fd, input_end end = input_end::closing) {
    fd_ = std::move(fd);
    end_ = end;
    opened_ = static_cast<bool>(fd_);
  }

  /// Fails with EBADF, once, if the child has no stdin of ours.
  void write(std::vector<char> bytes);

  /// End of file once the queue is empty. A terminal stays open, and gets none while it is in raw
  /// mode.
  void close_when_written();

  /// Drops the queue and closes.
  void close();

  /// The same, and tells why unless it was closed before.
  void fail(int error);

 private:
  void flush();
  void wait();
  void finish();

  unique_fd fd_; // owns; watch_ only borrows it and is made to let go before it is destroyed
  watched_descriptor watch_;
  write_queue queue_;
  input_end end_ = input_end::closing;
  std::optional<char> last_; // typed at a terminal
  bool opened_ = false, closing_ = false, waiting_ = false, finished_ = false;
  stream_events& events_;
};

} // namespace penning::io
