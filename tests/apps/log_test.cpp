#include "line_splitter.hpp"
#include "log_event.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <vector>

namespace penning::apps {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;

using lines = std::vector<std::pair<std::string, bool>>;

TEST(LineSplitter, JoinsChunksAndFlushesTheRest) {
  line_splitter splitter;
  lines found;
  const auto take = [&found](std::string line, bool cut) { found.emplace_back(line, cut); };
  splitter.feed("a", take);
  splitter.feed("b\n\nc", take);
  EXPECT_THAT(found, ElementsAre(Pair("ab", false), Pair("", false)));
  splitter.flush(take);
  splitter.flush(take);
  EXPECT_THAT(found, ElementsAre(Pair("ab", false), Pair("", false), Pair("c", false)));
}

TEST(LineSplitter, CutsWhatIsTooLong) {
  line_splitter splitter;
  lines found;
  const auto take = [&found](std::string line, bool cut) { found.emplace_back(line, cut); };
  const std::string longest(line_splitter::max_line, 'x');
  splitter.feed(longest + "\n" + longest, take);
  EXPECT_THAT(found, ElementsAre(Pair(longest, false)));
  splitter.feed("y\n", take);
  EXPECT_THAT(found, ElementsAre(Pair(longest, false), Pair(longest, true), Pair("y", false)));
}

class LogFormat : public testing::Test {
 protected:
  LogFormat() {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }

  log_event event(event_kind kind, std::string text = "") const {
    return {.kind = kind,
            .time = std::chrono::system_clock::time_point{1'700'000'000'042ms},
            .id = "web",
            .text = std::move(text),
            .os_pid = 42,
            .restarts = 2,
            .ran = 1500ms};
  }
  std::string text(const log_event& what) const { return text_format(5, false)(what); }
};

TEST_F(LogFormat, TextTellsEventsStdoutAndStderrApart) {
  EXPECT_EQ(text(event(event_kind::out, "hello")), "2023-11-14 22:13:20.042  web    | hello\n");
  EXPECT_EQ(text(event(event_kind::err, "oops")), "2023-11-14 22:13:20.042  web    ! oops\n");
  EXPECT_EQ(text(event(event_kind::started)),
            "2023-11-14 22:13:20.042  web    * started, pid 42\n");
  EXPECT_EQ(text(event(event_kind::restarted)),
            "2023-11-14 22:13:20.042  web    * restarted (restart 2), pid 42\n");
}

TEST_F(LogFormat, TextTellsStatusAndSignalApart) {
  auto end = event(event_kind::exited);
  end.how = {io::exit_status::kind::status, 9};
  end.usage = {.user = 1ms, .system = 2ms, .max_rss_kib = 1536};
  EXPECT_EQ(text(end), "2023-11-14 22:13:20.042  web    * exited with status 9 after 1.5 s, pid 42 "
                       "(cpu 0.003 s, 1.5 MiB)\n");
  end.how = {io::exit_status::kind::signal, SIGSEGV, true};
  EXPECT_THAT(text(end), testing::HasSubstr("ended by SIGSEGV (core dumped) after"));
  end.usage.oom_killed = true;
  EXPECT_THAT(text(end), testing::HasSubstr(" MiB), out of memory\n"));
}

TEST_F(LogFormat, NoChildCanPaintOverOthers) {
  EXPECT_EQ(text(event(event_kind::out, "a\033[2Jb\tc")),
            "2023-11-14 22:13:20.042  web    | a\\x1b[2Jb\tc\n");
}

TEST_F(LogFormat, ColourIsForTerminals) {
  EXPECT_EQ(text_format(5, true)(event(event_kind::err, "x")),
            "\033[2m2023-11-14 22:13:20.042\033[0m  web    \033[31m!\033[0m x\n");
}

TEST_F(LogFormat, JsonIsOneObjectPerLine) {
  const auto format = json_format();
  EXPECT_EQ(format(event(event_kind::started)),
            R"({"time":"2023-11-14T22:13:20.042Z","event":"started","id":"web","os_pid":42,)"
            R"("type":"worker"})"
            "\n");
  auto line = event(event_kind::out, "a\"\xff");
  line.os_pid = 0;
  line.cut = true;
  EXPECT_EQ(format(line), "{\"time\":\"2023-11-14T22:13:20.042Z\",\"event\":\"stdout\",\"id\":"
                          "\"web\",\"line\":\"a\\\"\uFFFD\",\"cut\":true}\n");
}

TEST(Describe, TimesAreShort) {
  EXPECT_EQ(describe(350ms), "350 ms");
  EXPECT_EQ(describe(12'340ms), "12.3 s");
  EXPECT_EQ(describe(303s), "5m 03s");
  EXPECT_EQ(describe(127min), "2h 07m");
  EXPECT_EQ(describe(76h), "3d 04h");
}

} // namespace
} // namespace penning::apps
