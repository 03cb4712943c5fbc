#include <penning/actors/line_watch.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace penning::actors {
namespace {

TEST(LineWatch, FindsATextWithinALine) {
  line_watch watch{"ready"};
  EXPECT_FALSE(watch.feed("starting\nread"));
  EXPECT_FALSE(watch.feed("\ny\n"));
  EXPECT_TRUE(watch.feed("server is ready to go\n"));
}

TEST(LineWatch, DoesNotWaitForTheEndOfTheLine) {
  EXPECT_TRUE(line_watch{"ready"}.feed("ready"));
}

TEST(LineWatch, RemembersThatItHasFoundIt) {
  line_watch watch{"a"};
  EXPECT_TRUE(watch.feed("a"));
  EXPECT_TRUE(watch.feed("bbb"));
  EXPECT_TRUE(watch.feed(""));
}

TEST(LineWatch, FindsATextAcrossEveryBorderOfChunks) {
  const std::string_view stream = "x\nlistening on 80\n";
  for (std::size_t size = 1; size <= stream.size(); ++size) {
    line_watch watch{"listening on 80"};
    bool found = false;
    for (std::size_t at = 0; at < stream.size(); at += size)
      found = watch.feed(stream.substr(at, size));
    EXPECT_TRUE(found) << size;
  }
}

TEST(LineWatch, FindsATextInABeginningOfItself) {
  EXPECT_TRUE(line_watch{"aab"}.feed("aaab"));
  EXPECT_TRUE(line_watch{"abac"}.feed("ababac"));
  EXPECT_TRUE(line_watch{"aabaaac"}.feed("aabaabaaac"));
  EXPECT_FALSE(line_watch{"aabaaac"}.feed("aabaabaac"));
}

/// All texts of up to `longest` letters a and b.
std::vector<std::string> short_texts(std::size_t longest) {
  std::vector<std::string> result{""};
  for (std::size_t i = 0; i < result.size() && result[i].size() < longest; ++i)
    for (const char letter : {'a', 'b'})
      result.push_back(result[i] + letter);
  result.erase(result.begin());
  return result;
}

TEST(LineWatch, FindsExactlyWhatASearchFinds) {
  for (const auto& text : short_texts(5))
    for (const auto& stream : short_texts(9))
      ASSERT_EQ(line_watch{text}.feed(stream), stream.find(text) != std::string::npos)
        << text << " in " << stream;
}

TEST(LineWatch, TakesALineWithoutEnd) {
  line_watch watch{"aaab"};
  const std::string chunk(65'536, 'a');
  for (int i = 0; i < 64; ++i)
    ASSERT_FALSE(watch.feed(chunk));
  EXPECT_TRUE(watch.feed("b"));
}

TEST(LineWatch, TakesAnyByte) {
  using namespace std::string_view_literals;
  EXPECT_TRUE(line_watch{std::string{"\0\xff"sv}}.feed("x\0\xff"sv));
  EXPECT_FALSE(line_watch{std::string{"\0\xff"sv}}.feed("x\xff\0"sv));
}

} // namespace
} // namespace penning::actors
