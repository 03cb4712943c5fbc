#pragma once

#include <penning/io/stream_events.hpp>
#include <penning/io/unique_fd.hpp>
#include <penning/io/write_queue.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>

namespace penning::io {

/// Writes a child's stdin without ever blocking: what the pipe does not take waits in a queue, and
/// the pipe is polled only while something waits. SIGPIPE must be blocked or ignored in the thread.
class input_writer {
 public:
  input_writer(boost::asio::io_context& io, stream_events& events) : watch_(io), events_(events) {}
  ~input_writer() { close(); }
  input_writer(const input_writer&) = delete;
  input_writer& operator=(const input_writer&) = delete;

  void open(unique_fd fd) { fd_ = std::move(fd); }

  void write(std::vector<char> bytes);

  /// End of file once the queue is empty.
  void close_when_written();

  /// Drops the queue and closes.
  void close();

 private:
  void flush();
  void wait();
  void fail(int error);

  unique_fd fd_; // owns; watch_ only borrows it and is made to let go before it is destroyed
  boost::asio::posix::stream_descriptor watch_;
  write_queue queue_;
  bool closing_ = false, waiting_ = false;
  stream_events& events_;
};

} // namespace penning::io
