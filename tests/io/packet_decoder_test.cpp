#include <penning/io/packet_decoder.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <malloc.h>
#include <random>
#include <string>

using namespace penning::io;
using result = packet_decoder::result;

namespace {

std::string framed(const std::string& payload) {
  std::string header;
  for (int shift : {24, 16, 8, 0})
    header += static_cast<char>((payload.size() >> shift) & 0xff);
  return header + payload;
}

/// All frames of `bytes`, fed in pieces.
template <class NextSize>
std::vector<std::string> decode(packet_decoder& decoder, const std::string& bytes, NextSize size) {
  std::vector<std::string> frames;
  for (std::size_t at = 0; at < bytes.size();) {
    auto piece = std::string_view(bytes).substr(at, size());
    at += piece.size();
    std::vector<char> frame;
    while (decoder.next(piece, frame) == result::frame)
      frames.emplace_back(frame.begin(), frame.end());
  }
  return frames;
}

TEST(PacketDecoder, FindsTheSameFramesHoweverTheyAreCut) {
  std::mt19937 random(1);
  std::vector<std::string> frames;
  std::string bytes;
  for (std::size_t size : {0, 1, 3, 4, 5, 0, 0, 100, 255, 256, 65535, 65536, 200'000, 1}) {
    std::string payload(size, '\0');
    for (auto& c : payload)
      c = static_cast<char>(random());
    bytes += framed(payload);
    frames.push_back(std::move(payload));
  }
  for (int round = 0; round < 50; ++round) {
    packet_decoder decoder(1 << 20);
    std::uniform_int_distribution<std::size_t> size(1, round % 2 == 0 ? 7 : 70'000);
    EXPECT_EQ(decode(decoder, bytes, [&] { return size(random); }), frames);
    EXPECT_FALSE(decoder.in_frame());
  }
}

TEST(PacketDecoder, KnowsThatItIsInTheMiddleOfAFrame) {
  packet_decoder decoder(100);
  auto bytes = framed("abcde");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_EQ(decoder.in_frame(), i > 0);
    std::vector<char> frame;
    auto input = std::string_view(bytes).substr(i, 1);
    EXPECT_EQ(decoder.next(input, frame), i == 8 ? result::frame : result::more);
  }
  EXPECT_FALSE(decoder.in_frame());
}

TEST(PacketDecoder, RefusesALengthAboveTheLimitBeforeItAllocates) {
  for (std::string header : {std::string("\0\0\0\x65", 4), std::string("\xff\xff\xff\xff", 4)}) {
    packet_decoder decoder(100);
    std::vector<char> frame;
    std::string_view input = header;
    EXPECT_EQ(decoder.next(input, frame), result::too_long);
    EXPECT_EQ(decoder.next(input, frame), result::too_long); // and stays so
  }
  packet_decoder decoder(100);
  auto largest = framed(std::string(100, 'x'));
  EXPECT_EQ(decode(decoder, largest, [] { return 1000; }).size(), 1U);
}

TEST(PacketDecoder, TakesMemoryOnlyAsBytesArrive) {
  packet_decoder decoder(0xffffffff);
  std::string header("\xff\xff\xff\xff", 4); // 4 GiB are announced
  std::vector<char> frame;
  auto before = ::mallinfo2();
  for (std::string_view input : {std::string_view(header), std::string_view("abc")})
    EXPECT_EQ(decoder.next(input, frame), result::more);
  auto after = ::mallinfo2();
  EXPECT_EQ(decoder.length(), 0xffffffff);
  EXPECT_LT(after.hblkhd + after.uordblks, before.hblkhd + before.uordblks + 1024);
}

} // namespace
