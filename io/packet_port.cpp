#include <penning/io/packet_port.hpp>

#include <penning/io/packet_decoder.hpp>
#include <penning/io/private_descriptor.hpp>
#include <penning/io/write_queue.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace penning::io {
namespace {

constexpr std::size_t header_size = 4, turn_bytes = 256UL * 1024;

write_queue::header header_of(std::size_t size) {
  auto byte = [size](int shift) { return static_cast<char>((size >> shift) & 0xff); };
  return {byte(24), byte(16), byte(8), byte(0)};
}

/// A regular file cannot be polled and is always ready: Asio says so by this error.
bool is_ready(const boost::system::error_code& error) {
  return !error || error == boost::asio::error::operation_not_supported;
}

} // namespace

/// What reads belongs to the context's thread, what writes to who holds the lock. The watches are
/// used by that thread only.
class packet_port::implementation : public std::enable_shared_from_this<implementation> {
 public:
  implementation(boost::asio::io_context& context, unique_fd in, unique_fd out,
                 std::shared_ptr<packet_observer> observer, packet_port_options options)
      : io(context),
        in_(std::move(in), private_descriptor::use::reading),
        out_(std::move(out), private_descriptor::use::writing),
        in_watch_(io, in_.get()),
        out_watch_(io, out_.get()),
        observer_(std::move(observer)),
        options_(options),
        decoder_(options.max_frame) {}
  ~implementation() { close(); }
  implementation(const implementation&) = delete;
  implementation& operator=(const implementation&) = delete;

  void read();
  void consumed(std::size_t bytes);
  void send(std::vector<char> frame); ///< On any thread.
  void flush_then_close(std::function<void()> done);
  void close();

  boost::asio::io_context& io;
  std::atomic<std::size_t> unsent = 0;

 private:
  using lock = std::unique_lock<std::mutex>;

  void wait_readable();
  bool deliver();
  int write();
  void write_on();
  void finish(lock held);
  void fail(int error);
  void wait_writable();
  void stop_reading();
  void tell_end(packet_port_end::kind how, int error = 0);

  private_descriptor in_, out_; // own; the watches only borrow and let go in close()
  boost::asio::posix::stream_descriptor in_watch_, out_watch_;
  std::shared_ptr<packet_observer> observer_;
  packet_port_options options_;
  packet_decoder decoder_;
  std::array<char, 64UL * 1024> buffer_;
  std::string_view unread_; // of buffer_, left when reading paused
  std::size_t outstanding_ = 0;
  bool paused_ = false, told_ = false;

  std::mutex mutex_;
  write_queue queue_;
  bool open_ = true;     // for what is sent
  bool waiting_ = false; // the context's thread goes on writing, or will
  std::function<void()> done_;
};

// One read(2) per turn, so that the children on this thread have theirs.
void packet_port::implementation::read() {
  if (!in_watch_.is_open())
    return;
  ssize_t count = ::read(in_.get(), buffer_.data(), buffer_.size());
  if (count < 0 && (errno == EAGAIN || errno == EINTR))
    return wait_readable();
  if (count < 0)
    return tell_end(packet_port_end::kind::read_failed, errno);
  if (count == 0)
    return tell_end(decoder_.in_frame() ? packet_port_end::kind::cut
                                        : packet_port_end::kind::end_of_stream);
  unread_ = {buffer_.data(), static_cast<std::size_t>(count)};
  if (deliver())
    wait_readable();
}

void packet_port::implementation::wait_readable() {
  in_watch_.async_wait(in_watch_.wait_read, [self = shared_from_this()](const auto& error) {
    if (is_ready(error))
      self->read();
  });
}

/// Hands on the frames of what was read; false when reading has to stop or to pause.
bool packet_port::implementation::deliver() {
  if (!in_watch_.is_open())
    return false;
  std::vector<std::vector<char>> frames;
  std::vector<char> frame;
  auto result = packet_decoder::result::frame;
  while (!(paused_ = outstanding_ >= options_.window)
         && (result = decoder_.next(unread_, frame)) == packet_decoder::result::frame) {
    outstanding_ += frame.size() + header_size; // else empty frames would cost nothing
    frames.push_back(std::exchange(frame, {}));
  }
  if (!frames.empty())
    observer_->on_frames(std::move(frames));
  if (result == packet_decoder::result::too_long)
    tell_end(packet_port_end::kind::too_long);
  return result == packet_decoder::result::more && !paused_;
}

void packet_port::implementation::consumed(std::size_t bytes) {
  outstanding_ -= std::min(outstanding_, bytes + header_size);
  if (paused_ && outstanding_ < options_.window && deliver())
    wait_readable();
}

void packet_port::implementation::stop_reading() {
  if (in_watch_.is_open())
    in_watch_.release();
  in_.close();
}

void packet_port::implementation::tell_end(packet_port_end::kind how, int error) {
  stop_reading();
  if (!std::exchange(told_, true))
    observer_->on_closed({how, {error, std::system_category()}, decoder_.length()});
}

void packet_port::implementation::send(std::vector<char> frame) {
  const lock held{mutex_};
  if (!open_ || done_)
    return;
  const auto header = header_of(frame.size());
  unsent += frame.size() + header_size;
  queue_.push(header, std::move(frame));
  if (waiting_)
    return;
  const int error = write();
  if (error == 0 && queue_.empty())
    return;
  waiting_ = true;
  boost::asio::post(io, [self = shared_from_this(), error] {
    error != 0 ? self->fail(error) : self->wait_writable();
  });
}

/// As much as the descriptor takes, but no more than a turn's bytes; the error if it takes none.
int packet_port::implementation::write() {
  for (std::size_t total = 0; !queue_.empty() && total < turn_bytes;) {
    const ssize_t count = queue_.write_some(out_.get());
    if (count < 0)
      return errno == EAGAIN ? 0 : errno;
    total += static_cast<std::size_t>(count);
    unsent -= static_cast<std::size_t>(count);
  }
  return 0;
}

void packet_port::implementation::write_on() {
  lock held{mutex_};
  if (!open_)
    return;
  if (const int error = write(); error != 0) {
    held.unlock();
    fail(error);
  } else if (!queue_.empty()) {
    wait_writable();
  } else {
    waiting_ = false;
    finish(std::move(held));
  }
}

void packet_port::implementation::finish(lock held) {
  auto done = std::exchange(done_, nullptr);
  held.unlock();
  if (!done)
    return;
  close();
  done();
}

void packet_port::implementation::fail(int error) {
  lock held{mutex_};
  unsent -= queue_.size();
  queue_.clear();
  open_ = waiting_ = false;
  if (out_watch_.is_open())
    out_watch_.release();
  out_.close();
  held.unlock();
  tell_end(packet_port_end::kind::write_failed, error);
  held.lock();
  finish(std::move(held));
}

void packet_port::implementation::wait_writable() {
  if (!out_watch_.is_open())
    return;
  out_watch_.async_wait(out_watch_.wait_write, [self = shared_from_this()](const auto& error) {
    if (is_ready(error))
      self->write_on();
  });
}

void packet_port::implementation::flush_then_close(std::function<void()> done) {
  stop_reading();
  told_ = true;
  lock held{mutex_};
  done_ = done ? std::move(done) : [] {};
  if (!waiting_)
    finish(std::move(held));
}

void packet_port::implementation::close() {
  stop_reading();
  told_ = true;
  const lock held{mutex_};
  open_ = false;
  if (out_watch_.is_open())
    out_watch_.release();
  out_.close();
}

packet_port::packet_port(boost::asio::io_context& io, unique_fd in, unique_fd out,
                         std::shared_ptr<packet_observer> observer, packet_port_options options)
    : implementation_(std::make_shared<implementation>(io, std::move(in), std::move(out),
                                                       std::move(observer), options)) {}

packet_port::~packet_port() {
  boost::asio::post(implementation_->io, [self = implementation_] { self->close(); });
}

void packet_port::start() {
  boost::asio::post(implementation_->io, [self = implementation_] { self->read(); });
}

void packet_port::consumed(std::size_t frame_size) {
  boost::asio::post(implementation_->io,
                    [self = implementation_, frame_size] { self->consumed(frame_size); });
}

void packet_port::send(std::vector<char> frame) {
  if (frame.size() > std::numeric_limits<std::uint32_t>::max())
    throw std::length_error("a frame of {packet, 4} holds less than 4 GiB");
  implementation_->send(std::move(frame));
}

std::size_t packet_port::unsent() const noexcept {
  return implementation_->unsent;
}

void packet_port::flush_then_close(std::function<void()> done) {
  boost::asio::post(implementation_->io, [self = implementation_, f = std::move(done)]() mutable {
    self->flush_then_close(std::move(f));
  });
}

std::string to_string(const packet_port_end& end) {
  switch (end.how) {
  case packet_port_end::kind::end_of_stream: return "the other side closed the stream";
  case packet_port_end::kind::cut: return "the stream ended in the middle of a frame";
  case packet_port_end::kind::too_long:
    return "a frame of " + std::to_string(end.length) + " bytes is longer than allowed";
  case packet_port_end::kind::read_failed: return "reading failed: " + end.error.message();
  case packet_port_end::kind::write_failed: return "writing failed: " + end.error.message();
  }
  return {};
}

} // namespace penning::io
