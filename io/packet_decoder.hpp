#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace penning::io {

/// Cuts a stream of bytes into the frames of Erlang's `{packet, 4}`: a length of four bytes,
/// highest first, and so many bytes.
///
/// A length above `max_frame` is refused when its header is complete, before anything is allocated
/// for it; memory grows with the bytes that really arrive. Pure: no descriptor, no thread.
/// Source: `{packet, N}` of `erlang:open_port/2`.
class packet_decoder {
 public:
  enum class result : std::uint8_t {
    more,     ///< All input is taken; no frame is complete yet.
    frame,    ///< One frame is complete; input may be left.
    too_long, ///< The announced `length` is above the limit. Final.
  };

  explicit packet_decoder(std::size_t max_frame) : max_frame_(max_frame) {}

  /// Takes what it can from the front of `input`, up to the end of one frame.
  result next(std::string_view& input, std::vector<char>& frame);

  /// Whether the stream would be cut in the middle of a header or a frame if it ended here.
  bool in_frame() const noexcept { return header_bytes_ > 0; }

  /// What the header announced.
  std::uint32_t length() const noexcept { return length_; }

 private:
  void append(std::string_view bytes);

  std::size_t max_frame_;
  std::size_t header_bytes_ = 0; // of this frame, 0 to 4
  std::uint32_t length_ = 0;
  std::vector<char> frame_;
};

} // namespace penning::io
