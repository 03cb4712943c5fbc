#pragma once

#include <penning/io/stream_events.hpp>
#include <penning/io/unique_fd.hpp>
#include <penning/io/watched_descriptor.hpp>

namespace penning::io {

/// Reads one output stream of a child against a window.
///
/// Without a window the pipe is not even registered for polling: a child that writes into it wakes
/// nobody. Cost: one read(2) per chunk while the owner keeps up, one epoll_ctl(2) more per wait.
class output_reader {
 public:
  output_reader(boost::asio::io_context& io, read_buffer& buffer, output which,
                stream_events& events)
      : watch_(io),
        buffer_(buffer),
        which_(which),
        events_(events) {}
  ~output_reader() { close(); }
  output_reader(const output_reader&) = delete;
  output_reader& operator=(const output_reader&) = delete;

  void open(unique_fd fd) { fd_ = std::move(fd); }

  /// Allows `bytes` more to be read.
  void grant(std::size_t bytes);

  bool is_open() const noexcept { return static_cast<bool>(fd_); }

  /// Reads what the pipe holds, whatever the window, and closes it. What a process wrote before its
  /// death fits the pipe, so its capacity bounds this, also when others go on writing.
  void drain();

 private:
  void read();
  void wait();
  void close();
  ssize_t receive(std::size_t limit);

  unique_fd fd_; // owns; watch_ only borrows it and is made to let go before it is destroyed
  watched_descriptor watch_;
  read_buffer& buffer_;
  std::size_t window_ = 0;
  output which_;
  stream_events& events_;
};

} // namespace penning::io
