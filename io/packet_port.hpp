#pragma once

#include <penning/io/unique_fd.hpp>

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

namespace penning::io {

/// Why no frame follows.
struct packet_port_end {
  enum class kind : std::uint8_t {
    end_of_stream, ///< The other side closed between two frames.
    cut,           ///< The other side closed in the middle of a frame.
    too_long,      ///< A header announced `length` bytes, above the limit.
    read_failed,   ///< read(2) failed with `error`.
    write_failed,  ///< writev(2) failed with `error`, EPIPE if nobody reads.
  };
  kind how = kind::end_of_stream;
  std::error_code error;
  std::uint32_t length = 0;
};

/// In words, for a log.
std::string to_string(const packet_port_end& end);

/// What a port tells. Called on the thread of its context, one call at a time; must not block nor
/// throw.
class packet_observer {
 public:
  virtual ~packet_observer() = default;

  /// Whole frames without their headers, as many as have come; one may be empty.
  virtual void on_frames(std::vector<std::vector<char>> frames) = 0;

  /// No frame follows. Told once; after anything but `write_failed` sending goes on.
  virtual void on_closed(const packet_port_end& end) = 0;
};

struct packet_port_options {
  std::size_t max_frame = 64UL * 1024 * 1024; ///< Of a frame that comes in, without its header.
  std::size_t window = 1024UL * 1024; ///< Reading pauses while so many bytes are not `consumed`.
};

/// Frames of Erlang's `{packet, 4}` on a pair of descriptors: pipes, sockets, a terminal, or
/// regular files (`< file`), as they come.
///
/// Neither side blocks the thread. Reading pauses while the receiver has not consumed `window`
/// bytes; a single frame may be larger and is accepted whole. What is sent is queued without bound,
/// `unsent` tells how much: who sends bounds it. It is written at once, in the thread that sends,
/// as far as the descriptor takes it. SIGPIPE must be blocked in both threads or ignored. Thread
/// safe; all calls return at once. Must be destroyed before the context, which closes it: the
/// observer may still be inside a call then, and hears no other.
class packet_port {
 public:
  packet_port(boost::asio::io_context& io, unique_fd in, unique_fd out,
              std::shared_ptr<packet_observer> observer, packet_port_options options = {});
  ~packet_port();
  packet_port(const packet_port&) = delete;
  packet_port& operator=(const packet_port&) = delete;

  /// Begins to read. Once.
  void start();

  /// To be called once per frame, with its size, when it is dealt with.
  void consumed(std::size_t frame_size);

  /// Sends one frame. Throws `std::length_error` for more bytes than four bytes can count.
  void send(std::vector<char> frame);

  /// Bytes, headers included, that are queued and not yet taken by the kernel.
  std::size_t unsent() const noexcept;

  /// Stops reading, closes once all that was sent before is written (or writing has failed), and
  /// then calls `done` on the context's thread.
  void flush_then_close(std::function<void()> done = {});

 private:
  class implementation;
  std::shared_ptr<implementation> implementation_;
};

} // namespace penning::io
