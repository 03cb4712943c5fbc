#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace penning::bridge {

/// Frames that go in one packet, for what a packet costs on either side is more than what a small
/// frame does: the byte 2, then each with its length before it, in four bytes, big-endian. A single
/// one goes as it is. docs/protocol.md tells the rest.
class frame_batch {
 public:
  /// Bytes of a packet: small enough that the other side can begin while we go on.
  static constexpr std::size_t most = std::size_t{8} << 10;

  bool empty() const noexcept { return packet_.empty(); }
  /// Whether there is room for a frame of so many bytes.
  bool takes(std::size_t size) const noexcept { return packet_.size() + size <= most; }
  void add(std::span<const char> frame);
  /// The packet; there must be a frame.
  std::vector<char> take();

 private:
  std::vector<char> packet_;
  std::size_t frames_ = 0;
};

/// Whether a packet holds several frames.
bool is_batch(std::span<const char> packet);

/// The frames of a packet that holds several.
class batch_reader {
 public:
  explicit batch_reader(std::span<const char> packet) : rest_{packet.subspan(1)} {}

  /// Nothing after the last, or at a length that promises more than there is.
  std::optional<std::span<const char>> next();
  /// Once `next` gave nothing: whether more follows, which is no frame.
  bool is_cut() const noexcept { return !rest_.empty(); }

 private:
  std::span<const char> rest_;
};

} // namespace penning::bridge
