#include <penning/actors/output_flow.hpp>
#include <penning/io/launch_options.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace penning::actors {
namespace {

using kind = delivery::kind;
using lines = std::vector<std::string>;

std::vector<char> bytes(std::string_view text) {
  return {text.begin(), text.end()};
}

/// A whole line as it is, a piece with "..." behind it.
std::string shown(const line& each) {
  return std::string{each.bytes.begin(), each.bytes.end()} + (each.complete ? "" : "...");
}

lines taken(line_list& from) {
  lines result;
  for (const auto& each : std::exchange(from, {}))
    result.push_back(shown(each));
  return result;
}

lines framed(const delivery& how, std::string_view stream, std::size_t chunk) {
  output_framing framing{how};
  line_list out;
  for (std::size_t at = 0; at < stream.size(); at += chunk)
    framing.feed(bytes(stream.substr(at, chunk)), out);
  framing.finish(out);
  return taken(out);
}

struct stream_case {
  delivery how;
  std::string stream;
  lines expected;
};

class OutputFraming : public testing::TestWithParam<stream_case> {};

TEST_P(OutputFraming, CutsAStreamInWhateverChunksItComes) {
  const auto& [how, stream, expected] = GetParam();
  for (std::size_t chunk = 1; chunk <= stream.size() + 1; ++chunk)
    EXPECT_EQ(framed(how, stream, chunk), expected) << chunk;
}

INSTANTIATE_TEST_SUITE_P(
  Lines, OutputFraming,
  testing::Values(stream_case{{kind::lines}, "", {}}, //
                  stream_case{{kind::lines}, "a\nbc\n", {"a", "bc"}},
                  stream_case{{kind::lines}, "a\n\n\nb", {"a", "", "", "b..."}},
                  stream_case{{kind::lines}, "dos\r\n", {"dos\r"}},
                  stream_case{{kind::lines, "", 3}, "abc\nabcd\n", {"abc", "abc...", "d"}},
                  stream_case{{kind::lines, "", 3}, "abcabc\n", {"abc...", "abc"}},
                  stream_case{{kind::lines, "", 3}, "abcdefgh", {"abc...", "def...", "gh..."}},
                  stream_case{{kind::lines, "", 3}, "abc", {"abc..."}},
                  stream_case{{kind::lines, "", 1}, "\na\nbc\n", {"", "a", "b...", "c"}}));

INSTANTIATE_TEST_SUITE_P(
  Records, OutputFraming,
  testing::Values(
    stream_case{{kind::records, "\r\n"}, "a\nb\rc\r\n\r\r\n", {"a\nb\rc", "\r"}},
    stream_case{{kind::records, "aab"}, "aaabaabx", {"a", "", "x..."}},
    stream_case{{kind::records, std::string{"\0", 1}}, std::string{"x\0yy\0", 5}, {"x", "yy"}},
    stream_case{{kind::records, "--", 3}, "abc--abc-d--", {"abc", "abc...", "-d"}},
    stream_case{{kind::records, "--", 3}, "abc-", {"abc...", "-..."}},
    stream_case{{kind::records, "aaaa", 1}, "aaaaaaabaaaa", {"", "a...", "a...", "a...", "b"}}));

TEST(OutputFraming, HoldsLessThanALineAndItsDelimiter) {
  output_framing framing{{kind::records, "--", 3}};
  line_list out;
  EXPECT_EQ(framing.max_size(), 5u);
  framing.feed(bytes("abcd"), out); // "abcd": it is too long only once it cannot be "abc--"
  framing.feed(bytes("-"), out);
  EXPECT_EQ(taken(out), lines{"abc..."});
}

TEST(OutputFraming, TakesALongStreamInLinearTime) {
  const std::string text(1 << 20, '-');
  output_framing framing{{kind::records, std::string(255, '-') + "+", 1 << 20}};
  line_list out;
  for (std::size_t at = 0; at < text.size(); at += 64)
    framing.feed(bytes(std::string_view{text}.substr(at, 64)), out);
  framing.finish(out);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out.front().bytes.size(), text.size());
}

// -- on the way to an owner -----------------------------------------------------------------------

lines next(output_flow& flow) {
  lines result;
  while (auto piece = flow.next())
    result.push_back(shown(*piece));
  return result;
}

TEST(OutputFlow, CountsTheDelimitersOfLines) {
  output_flow flow{6, {kind::lines, "", 4}};
  flow.push(bytes("ab\ncd\nef\n"));
  EXPECT_EQ(next(flow), (lines{"ab", "cd"})) << "three bytes each";
  flow.consumed(3);
  EXPECT_EQ(next(flow), lines{"ef"});
}

TEST(OutputFlow, HasAWindowAsLargeAsALineAndNeverCutsIt) {
  output_flow flow{1, {kind::lines, "", 4}};
  EXPECT_EQ(flow.window(), 5u);
  flow.push(bytes("abcd\nefgh\n"));
  EXPECT_EQ(next(flow), lines{"abcd"});
  flow.consumed(5);
  EXPECT_EQ(next(flow), lines{"efgh"});
}

/// Whoever reads so many bytes at a time, and as many as the window allows, gets everything.
TEST(OutputFlow, NeverStandsStillForAnUnfinishedLine) {
  const std::string stream = "a\nbbbb\nccccccccc\n\n--d-\n-\n----";
  for (std::size_t window = 1; window < 9; ++window)
    for (const auto& how : {delivery{kind::lines, "", 3}, delivery{kind::records, "--", 2}}) {
      output_flow flow{window, how};
      std::size_t credit = flow.window();
      std::size_t at = 0, out = 0;
      while (at < stream.size()) {
        ASSERT_GT(credit, 0u) << "at " << at << " with " << window;
        flow.push({stream[at++]});
        --credit;
        while (auto piece = flow.next()) {
          out += flow.size_of(*piece);
          credit += flow.size_of(*piece);
          flow.consumed(flow.size_of(*piece));
        }
      }
      flow.finish();
      while (auto piece = flow.next()) {
        out += flow.size_of(*piece);
        flow.consumed(flow.size_of(*piece));
      }
      EXPECT_EQ(out, stream.size());
    }
}

TEST(OutputFlow, CutsBytesAtItsWindow) {
  output_flow flow{4};
  flow.push(bytes("123456"));
  EXPECT_EQ(next(flow), lines{"1234..."});
  flow.consumed(1);
  EXPECT_EQ(next(flow), lines{"5..."});
  EXPECT_FALSE(flow.empty());
  flow.consumed(4);
  EXPECT_EQ(next(flow), lines{"6..."});
  EXPECT_TRUE(flow.empty());
}

// -- options --------------------------------------------------------------------------------------

class BadDelivery : public testing::TestWithParam<delivery> {};

TEST_P(BadDelivery, IsRefused) {
  EXPECT_THROW(validate(GetParam(), "stdout_delivery"), io::option_error);
}

INSTANTIATE_TEST_SUITE_P(
  Each, BadDelivery,
  testing::Values(delivery{kind::records}, delivery{kind::records, std::string(257, 'x')},
                  delivery{kind::lines, "x"}, delivery{kind::bytes, "x"},
                  delivery{kind::lines, "", 0},
                  delivery{kind::lines, "", std::numeric_limits<std::size_t>::max()}));

} // namespace
} // namespace penning::actors
