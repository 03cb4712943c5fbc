#include <penning/bridge/frame_pieces.hpp>

#include <algorithm>
#include <utility>

namespace penning::bridge {

std::optional<frame_piece> to_piece(std::span<const char> frame) {
  if (frame.size() < frame_piece::header || static_cast<unsigned char>(frame[0]) > 1)
    return std::nullopt;
  frame_piece piece{.last = frame[0] == 1};
  for (std::size_t i = 1; i < frame_piece::header; ++i)
    piece.number = piece.number << 8 | static_cast<unsigned char>(frame[i]);
  const auto bytes = frame.subspan(frame_piece::header);
  piece.bytes = {bytes.data(), bytes.size()};
  return piece;
}

std::vector<std::vector<char>> to_pieces(std::span<const char> whole, std::uint32_t number) {
  std::vector<std::vector<char>> result;
  do {
    const auto bytes = whole.first(std::min(whole.size(), frame_piece::most));
    whole = whole.subspan(bytes.size());
    auto& piece = result.emplace_back();
    piece.reserve(frame_piece::header + bytes.size());
    piece.push_back(whole.empty() ? 1 : 0);
    for (int shift = 24; shift >= 0; shift -= 8)
      piece.push_back(static_cast<char>(number >> shift & 0xff));
    piece.insert(piece.end(), bytes.begin(), bytes.end());
  } while (!whole.empty());
  return result;
}

std::optional<piece_table::outcome> piece_table::add(const frame_piece& piece) {
  auto& part = parts_[piece.number];
  std::optional<outcome> result;
  if (!part.refused && piece.bytes.size() > limit_ - used_) {
    used_ -= part.bytes.size();
    if (part.bytes.empty())
      part.bytes.assign(piece.bytes.begin(), piece.bytes.end());
    result = outcome{.refused = true, .begins = std::exchange(part.bytes, {})};
    part.refused = true;
  } else if (!part.refused) {
    used_ += piece.bytes.size();
    part.bytes.insert(part.bytes.end(), piece.bytes.begin(), piece.bytes.end());
  }
  if (!piece.last)
    return result;
  if (!part.refused) {
    used_ -= part.bytes.size();
    result = outcome{.whole = std::move(part.bytes)};
  }
  parts_.erase(piece.number);
  return result;
}

} // namespace penning::bridge
