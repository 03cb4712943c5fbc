#include <penning/supervision/tree_file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penning::supervision {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

tree_child child_with(const std::string& line) {
  return parse_tree("[[child]]\nid = 'a'\nprogram = 'true'\n" + line, "tree.toml").children.at(0);
}

/// The errors of a child that has `line` as its fourth line, without file and child.
std::string errors_of(const std::string& line) {
  try {
    child_with(line);
    return "";
  } catch (const tree_file_error& error) {
    std::string result;
    for (const auto& each : error.mistakes())
      result += (result.empty() ? "" : "\n") + each.problem;
    return result;
  }
}

actors::ready_check check_of(const std::string& table) {
  const auto child = child_with("ready = " + table);
  return std::get<tree_program>(child.what).options.ready.value().check;
}

TEST(TreeOptions, AreOffUnlessSet) {
  const auto child = child_with("");
  EXPECT_FALSE(child.backoff);
  EXPECT_FALSE(child.start_timeout);
  EXPECT_TRUE(child.start_after.empty());
  EXPECT_FALSE(std::get<tree_program>(child.what).options.ready);
}

TEST(TreeOptions, BackoffHasItsDefaults) {
  EXPECT_EQ(child_with("backoff = {}").backoff, backoff{});
  EXPECT_EQ(
    child_with("backoff = { initial = 5, max = 50, factor = 3, jitter = 0, reset_after = 9 }")
      .backoff,
    (backoff{5ms, 50ms, 3, 0, 9ms}));
}

TEST(TreeOptions, BackoffSaysWhatIsWrong) {
  EXPECT_EQ(errors_of("backoff = 5"), "child \"a\": backoff = 5: must be a table, not an integer");
  EXPECT_EQ(
    errors_of("backoff = { first = 5 }"),
    "child \"a\": backoff: unknown key \"first\"; known here: initial, max, factor, jitter, "
    "reset_after");
  EXPECT_EQ(errors_of("backoff = { initial = 0 }"),
            "child \"a\": backoff: initial = 0: must be from 1 to 4294967295");
  EXPECT_EQ(errors_of("backoff = { initial = 40000 }"),
            "child \"a\": backoff: initial = 40000: must be at most max, 30000");
  EXPECT_EQ(errors_of("backoff = { max = 99 }"),
            "child \"a\": backoff: max = 99: must be at least initial, 100");
  EXPECT_EQ(errors_of("backoff = { factor = 0.5 }"),
            "child \"a\": backoff: factor = 0.5: must be a finite number of at least 1");
  EXPECT_EQ(errors_of("backoff = { factor = inf }"),
            "child \"a\": backoff: factor = inf: must be a finite number of at least 1");
  EXPECT_EQ(errors_of("backoff = { jitter = nan }"),
            "child \"a\": backoff: jitter = nan: must be from 0 to 1");
  EXPECT_EQ(errors_of("backoff = { jitter = 'much' }"),
            "child \"a\": backoff: jitter = 'much': must be a number, not a string");
}

TEST(TreeOptions, ReadinessIsOneOfItsChecks) {
  EXPECT_EQ(check_of("{ stdout = 'up' }"), actors::ready_check{actors::stdout_line{"up"}});
  EXPECT_EQ(check_of("{ tcp = 'localhost:80' }"),
            (actors::ready_check{actors::tcp_accepts{"localhost", 80}}));
  EXPECT_EQ(check_of("{ tcp = '[::1]:80' }"),
            (actors::ready_check{actors::tcp_accepts{"::1", 80}}));
  EXPECT_EQ(check_of("{ unix = 's' }"), actors::ready_check{actors::unix_accepts{"s"}});
  EXPECT_EQ(check_of("{ file = 'f' }"), actors::ready_check{actors::file_exists{"f"}});
  EXPECT_EQ(check_of("{ command = ['test', '-e', 'f'] }"),
            (actors::ready_check{actors::command_succeeds{"test", {"-e", "f"}}}));
  EXPECT_EQ(check_of("{ command = ['test', ''] }"),
            (actors::ready_check{actors::command_succeeds{"test", {""}}}));
  const auto child = child_with("ready = { file = 'f', interval = 5 }");
  EXPECT_EQ(std::get<tree_program>(child.what).options.ready.value().interval, 5ms);
}

TEST(TreeOptions, ReadinessSaysWhatIsWrong) {
  EXPECT_EQ(errors_of("ready = {}"),
            "child \"a\": ready = {}: must have one of stdout, tcp, unix, file and command");
  EXPECT_EQ(
    errors_of("ready = { file = 'f', unix = 's' }"),
    "child \"a\": ready = { file = 'f', unix = 's' }: must have one of stdout, tcp, unix, file "
    "and command");
  EXPECT_EQ(errors_of("ready = { tcp = 80 }"),
            "child \"a\": ready: tcp = 80: must be a string, not an integer");
  for (const auto* address :
       {"80", "localhost:", "localhost:65536", "localhost:-1", "localhost:8x"})
    EXPECT_EQ(errors_of("ready = { tcp = '" + std::string{address} + "' }"),
              "child \"a\": ready: tcp = '" + std::string{address}
                + "': must be an address and a port, \"127.0.0.1:80\" or \"[::1]:80\"");
  EXPECT_THAT(errors_of("ready = { tcp = 'nowhere:80' }"), testing::HasSubstr("ready = {"));
  EXPECT_THAT(errors_of("ready = { tcp = 'localhost:0' }"), testing::HasSubstr("ready = {"));
  EXPECT_THAT(errors_of("ready = { command = [] }"), testing::HasSubstr("ready = {"));
  EXPECT_EQ(
    errors_of("ready = { command = ['', 'true'] }"),
    "child \"a\": ready.command has the element '': the command's program must not be empty");
  EXPECT_EQ(errors_of("ready = { file = 'f', interval = 0 }"),
            "child \"a\": ready: interval = 0: must be from 1 to 4294967295");
}

TEST(TreeOptions, StartTimeoutIsATime) {
  EXPECT_EQ(child_with("start_timeout = 5").start_timeout, 5ms);
  EXPECT_EQ(errors_of("start_timeout = -5"),
            "child \"a\": start_timeout = -5: must not be negative");
}

TEST(TreeOptions, StartAfterNamesSiblings) {
  const auto tree = parse_tree("[[child]]\nid = 'a'\nprogram = 'true'\nstart_after = ['b']\n"
                               "[[child]]\nid = 'b'\nprogram = 'true'\n",
                               "tree.toml");
  EXPECT_EQ(tree.children.at(0).id, "b") << "in the order of their start";
  EXPECT_THAT(tree.children.at(1).start_after, ElementsAre("b"));
  EXPECT_EQ(errors_of("start_after = ['b']"),
            "child \"a\": start_after = [ 'b' ]: no child \"b\" beside it");
  EXPECT_EQ(errors_of("start_after = ['a']"), "start_after goes in a circle: \"a\"");
}

} // namespace
} // namespace penning::supervision
