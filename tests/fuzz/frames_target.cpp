// The cutting of a stream into frames, and of those that hold several. An input is a byte that says
// how the stream arrives, and the stream.

#include "fuzz.hpp"

#include <penning/bridge/frame_batch.hpp>
#include <penning/io/packet_decoder.hpp>

#include <algorithm>
#include <string_view>
#include <vector>

namespace {

using penning::fuzz::require;
using penning::io::packet_decoder;

constexpr std::size_t max_frame = 300;

/// What a decoder has made of a stream.
struct outcome {
  std::vector<std::vector<char>> frames;
  bool too_long = false;
  bool in_frame = false;
  std::size_t left = 0; ///< Bytes that were not taken.

  friend bool operator==(const outcome&, const outcome&) = default;
};

/// Takes the stream in pieces of `piece` bytes.
outcome cut(std::string_view stream, std::size_t piece) {
  packet_decoder decoder{max_frame};
  outcome result;
  while (!stream.empty() && !result.too_long) {
    auto part = stream.substr(0, piece);
    stream.remove_prefix(part.size());
    for (auto said = packet_decoder::result::frame; said == packet_decoder::result::frame;) {
      std::vector<char> frame;
      said = decoder.next(part, frame);
      if (said == packet_decoder::result::frame)
        result.frames.push_back(std::move(frame));
      result.too_long = said == packet_decoder::result::too_long;
    }
    require(result.too_long || part.empty(), "all input is taken");
    result.left = part.size() + stream.size();
  }
  require(!result.too_long || decoder.length() > max_frame, "only a long frame is too long");
  result.in_frame = decoder.in_frame();
  return result;
}

/// The stream that these frames make.
std::vector<char> joined(const outcome& result) {
  std::vector<char> stream;
  for (const auto& frame : result.frames) {
    for (int shift = 24; shift >= 0; shift -= 8)
      stream.push_back(static_cast<char>(frame.size() >> shift));
    stream.insert(stream.end(), frame.begin(), frame.end());
  }
  return stream;
}

/// Reads the frames of a packet that holds several, and puts them together again.
void check_batch(const std::vector<char>& packet) {
  std::vector<char> again{packet.front()};
  penning::bridge::batch_reader reader{packet};
  while (const auto frame = reader.next()) {
    for (int shift = 24; shift >= 0; shift -= 8)
      again.push_back(static_cast<char>(frame->size() >> shift));
    again.insert(again.end(), frame->begin(), frame->end());
  }
  require(std::ranges::equal(again, std::span{packet}.first(again.size())), "nothing is skipped");
  require(reader.is_cut() == (again.size() != packet.size()), "what is left is told");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view stream{reinterpret_cast<const char*>(data) + 1, size - 1};
  const auto whole = cut(stream, size);
  require(whole == cut(stream, std::size_t{data[0]} + 1), "how a stream arrives changes nothing");
  for (const auto& frame : whole.frames) {
    require(frame.size() <= max_frame, "no frame is longer than allowed");
    if (penning::bridge::is_batch(frame))
      check_batch(frame);
  }
  const auto again = joined(whole);
  require(std::ranges::equal(again, stream.substr(0, again.size())), "frames are what was sent");
  require(again.size() == stream.size() || whole.in_frame, "what is left is part of a frame");
  return 0;
}
