#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace penning::bridge {

/// A frame that is a piece of a larger one: a byte that says whether it is the last, four of a number
/// that all pieces of one have in common, big-endian, then its bytes. docs/protocol.md tells when.
struct frame_piece {
  static constexpr std::size_t header = 5;
  /// Bytes of a piece that we send, without its header.
  static constexpr std::size_t most = std::size_t{1} << 20;

  bool last = false;
  std::uint32_t number = 0;
  std::string_view bytes;
};

/// Nothing if it is no piece but a whole frame, or nonsense.
std::optional<frame_piece> to_piece(std::span<const char> frame);

/// The frames that carry `whole` in pieces.
std::vector<std::vector<char>> to_pieces(std::span<const char> whole, std::uint32_t number);

/// Puts pieces together again, of several frames at once, never more than `limit` bytes in all.
class piece_table {
 public:
  explicit piece_table(std::size_t limit) : limit_{limit} {}

  struct outcome {
    std::vector<char> whole;  ///< Set once a frame is whole.
    bool refused = false;     ///< It would be too much; told once, all that follows is dropped.
    std::vector<char> begins; ///< How the refused one begins.
  };
  std::optional<outcome> add(const frame_piece& piece);

 private:
  struct partial {
    std::vector<char> bytes;
    bool refused = false;
  };

  std::size_t limit_;
  std::size_t used_ = 0;
  std::unordered_map<std::uint32_t, partial> parts_;
};

} // namespace penning::bridge
