#include <penning/bridge/frame_batch.hpp>

#include <gmock/gmock.h>

#include <string>

namespace penning::bridge {
namespace {

using namespace std::string_literals;

std::string text(std::span<const char> bytes) {
  return {bytes.begin(), bytes.end()};
}

std::vector<std::string> frames_of(batch_reader& reader) {
  std::vector<std::string> result;
  while (const auto frame = reader.next())
    result.push_back(text(*frame));
  return result;
}

TEST(FrameBatch, LeavesASingleFrameAsItIs) {
  frame_batch batch;
  EXPECT_TRUE(batch.empty());
  batch.add("one"s);
  EXPECT_FALSE(batch.empty());
  EXPECT_EQ(text(batch.take()), "one");
  EXPECT_TRUE(batch.empty());
  batch.add("again"s);
  EXPECT_EQ(text(batch.take()), "again");
}

TEST(FrameBatch, HoldsSeveralInTheirOrder) {
  frame_batch batch;
  for (const auto& frame : {"ab"s, ""s, "c"s})
    batch.add(frame);
  const auto packet = batch.take();
  EXPECT_EQ(text(packet), "\2\0\0\0\2ab\0\0\0\0\0\0\0\1c"s);
  ASSERT_TRUE(is_batch(packet));
  batch_reader reader{packet};
  EXPECT_THAT(frames_of(reader), testing::ElementsAre("ab", "", "c"));
  EXPECT_FALSE(reader.is_cut());
}

TEST(FrameBatch, TakesNoMoreThanAPacketShallHave) {
  frame_batch batch;
  EXPECT_TRUE(batch.takes(frame_batch::most));
  EXPECT_FALSE(batch.takes(frame_batch::most + 1));
  batch.add(std::string(5000, 'x'));
  EXPECT_TRUE(batch.takes(3000));
  EXPECT_FALSE(batch.takes(4000));
}

TEST(FrameBatch, ReadsWhatComesBeforeACut) {
  const auto whole = "\2\0\0\0\2ab\0\0\0\1c"s;
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const auto packet = whole.substr(0, size);
    batch_reader reader{packet};
    EXPECT_THAT(frames_of(reader), testing::SizeIs(size < 7 ? 0 : 1));
    EXPECT_EQ(reader.is_cut(), size != 1 && size != 7) << size;
  }
  const auto liar = "\2\xff\xff\xff\xff"s + "ab";
  batch_reader reader{liar};
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.is_cut());
}

TEST(FrameBatch, IsToldFromATermAndAPiece) {
  EXPECT_FALSE(is_batch(""s));
  EXPECT_FALSE(is_batch("\x83"s));
  EXPECT_FALSE(is_batch("\1\0\0\0\0"s));
  EXPECT_TRUE(is_batch("\2"s));
}

} // namespace
} // namespace penning::bridge
