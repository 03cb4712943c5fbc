#include <penning/bridge/frame_batch.hpp>

#include <cstdint>
#include <utility>

namespace penning::bridge {

namespace {

constexpr char mark = 2;
constexpr std::size_t length_size = 4, first_frame = 1 + length_size;

} // namespace

void frame_batch::add(std::span<const char> frame) {
  if (packet_.empty()) {
    packet_.reserve(most);
    packet_.push_back(mark);
  }
  for (int shift = 24; shift >= 0; shift -= 8)
    packet_.push_back(static_cast<char>(frame.size() >> shift & 0xff));
  packet_.insert(packet_.end(), frame.begin(), frame.end());
  ++frames_;
}

std::vector<char> frame_batch::take() {
  auto packet = std::exchange(packet_, {});
  if (std::exchange(frames_, 0) == 1)
    packet.erase(packet.begin(), packet.begin() + first_frame);
  return packet;
}

bool is_batch(std::span<const char> packet) {
  return !packet.empty() && packet.front() == mark;
}

std::optional<std::span<const char>> batch_reader::next() {
  if (rest_.size() < length_size)
    return std::nullopt;
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < length_size; ++i)
    length = length << 8 | static_cast<unsigned char>(rest_[i]);
  if (length > rest_.size() - length_size)
    return std::nullopt;
  const auto frame = rest_.subspan(length_size, length);
  rest_ = rest_.subspan(length_size + length);
  return frame;
}

} // namespace penning::bridge
