#include <penning/bridge/frame_pieces.hpp>

#include <gmock/gmock.h>

#include <string>

namespace penning::bridge {
namespace {

std::vector<char> bytes(std::size_t size, char first) {
  std::vector<char> result(size);
  for (std::size_t i = 0; i < size; ++i)
    result[i] = static_cast<char>(first + static_cast<char>(i % 7));
  return result;
}

TEST(FramePieces, ComeTogetherAgainThoughOthersComeBetween) {
  const auto one = bytes(frame_piece::most * 2 + 1, 'a'), other = bytes(frame_piece::most, 'k');
  const auto first = to_pieces(one, 7), second = to_pieces(other, 0xfffffffe);
  ASSERT_EQ(first.size(), 3U);
  ASSERT_EQ(second.size(), 1U);
  piece_table table{one.size() + other.size()};
  EXPECT_FALSE(table.add(*to_piece(first[0])));
  EXPECT_FALSE(table.add(*to_piece(first[1])));
  const auto whole_second = table.add(*to_piece(second[0]));
  ASSERT_TRUE(whole_second);
  EXPECT_EQ(whole_second->whole, other);
  const auto whole_first = table.add(*to_piece(first[2]));
  ASSERT_TRUE(whole_first);
  EXPECT_EQ(whole_first->whole, one);
}

TEST(FramePieces, AreRefusedBeyondTheLimitAndLeaveRoomForOthers) {
  piece_table table{10};
  EXPECT_FALSE(table.add({false, 1, "123456"}));
  EXPECT_FALSE(table.add({false, 2, "1234"}));
  const auto refused = table.add({false, 1, "7"});
  ASSERT_TRUE(refused);
  EXPECT_TRUE(refused->refused);
  EXPECT_EQ(std::string(refused->begins.begin(), refused->begins.end()), "123456");
  EXPECT_FALSE(table.add({false, 1, "8"})) << "told once";
  EXPECT_FALSE(table.add({true, 1, "9"}));
  const auto other = table.add({true, 2, "567890"});
  ASSERT_TRUE(other);
  EXPECT_EQ(other->whole.size(), 10U);
  const auto again = table.add({true, 1, "0123456789"});
  ASSERT_TRUE(again) << "the number is free again, and so is the room";
  EXPECT_FALSE(again->refused);
}

TEST(FramePieces, OfWhichTheFirstIsTooLongAreRefusedByIt) {
  piece_table table{3};
  const auto refused = table.add({true, 1, "1234"});
  ASSERT_TRUE(refused);
  EXPECT_TRUE(refused->refused);
  EXPECT_EQ(std::string(refused->begins.begin(), refused->begins.end()), "1234");
  EXPECT_EQ(table.add({true, 1, "123"})->whole.size(), 3U);
}

TEST(FramePieces, AreToldFromTermsAndNonsense) {
  EXPECT_FALSE(to_piece(std::vector<char>{'\x83', 'h', 0, 0, 0, 0}));
  EXPECT_FALSE(to_piece(std::vector<char>{0, 0, 0, 1}));
  EXPECT_FALSE(to_piece(std::vector<char>{2, 0, 0, 0, 1, 'x'}));
  EXPECT_TRUE(to_piece(std::vector<char>{1, 0, 0, 0, 1}));
}

} // namespace
} // namespace penning::bridge
