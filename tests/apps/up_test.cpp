#include "penning_program.hpp"

#include <gmock/gmock.h>

namespace penning::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing::UnorderedElementsAre;

class PenningUp : public penning_test {
 protected:
  /// Ids in the order in which their programs ended.
  static std::vector<std::string> ends(const std::vector<event>& events) {
    std::vector<std::string> ids;
    for (const auto& each : events)
      if (each["event"] == "exited")
        ids.push_back(each["id"]);
    return ids;
  }

  const std::string three_children = file(R"(
[[child]]
id = "one"
program = "cat"
[[child]]
id = "two"
type = "supervisor"
[[child.child]]
id = "inner"
program = "cat"
[[child]]
id = "three"
program = "cat"
)");
};

TEST_F(PenningUp, KilledChildIsStartedAgain) {
  running_tree tree{file("[[child]]\nid = 'a'\nprogram = 'cat'")};
  const auto first = tree.started("a");
  ::kill(first.pid(), SIGKILL);
  const auto exited = tree.next("exited", "a");
  EXPECT_EQ(exited["signal"], SIGKILL);
  EXPECT_EQ(exited["os_pid"], first.pid());
  const auto restarted = tree.next("restarted", "a");
  EXPECT_EQ(restarted["restarts"], 1);
  EXPECT_NE(restarted["os_pid"], first.pid());
  EXPECT_TRUE(held_process(restarted["os_pid"]).alive());
}

TEST_F(PenningUp, LogsOutputThatIsDeliveredByLinesOrRecords) {
  running_tree tree{file(R"(
[[child]]
id = "a"
program = "sh"
args = ["-c", "printf 'one;two\\nthree;rest'; echo bad >&2"]
stdout_delivery = { delimiter = ";", max_length = 100 }
stderr_delivery = "lines"
restart = "temporary"
)")};
  std::vector<std::string> out, err;
  for (auto line = tree.next(); line["event"] != "exited"; line = tree.next()) {
    if (line["event"] == "stdout")
      out.push_back(line["line"]);
    if (line["event"] == "stderr")
      err.push_back(line["line"]);
  }
  EXPECT_THAT(out, ElementsAre("one", "two", "three", "rest"));
  EXPECT_THAT(err, ElementsAre("bad"));
}

TEST_F(PenningUp, SigtermStopsInReverseOrder) {
  running_tree tree{three_children};
  const std::array children{tree.started("one"), tree.started("two/inner"), tree.started("three")};
  tree.signal(SIGTERM);
  EXPECT_THAT(ends(tree.rest()), ElementsAre("three", "two/inner", "one"));
  EXPECT_EQ(tree.wait(), 0);
  for (const auto& child : children)
    EXPECT_FALSE(child.alive());
  EXPECT_THAT(tree.err.rest(), IsEmpty());
}

TEST_F(PenningUp, SigintStopsAsWell) {
  running_tree tree{three_children};
  tree.started("three");
  tree.signal(SIGINT);
  EXPECT_EQ(tree.next("note", "")["text"], "SIGINT: stopping");
  EXPECT_EQ(tree.wait(), 0);
}

TEST_F(PenningUp, SighupBringsTheTreeToWhatTheFileSaysNow) {
  const auto path = file(R"(
[[child]]
id = "stays"
program = "cat"
[[child]]
id = "goes"
program = "cat"
[[child]]
id = "group"
type = "supervisor"
[[child.child]]
id = "old"
program = "cat"
)");
  running_tree tree{path};
  const auto stays = tree.started("stays");
  const auto goes = tree.started("goes");
  const auto old = tree.started("group/old");
  tree.next("started", "group");
  file(R"(
[[child]]
id = "group"
type = "supervisor"
[[child.child]]
id = "new"
program = "cat"
[[child]]
id = "stays"
program = "cat"
restart = "transient"
)");
  tree.signal(SIGHUP);
  std::vector<std::string> happened; // the two supervisors do their part side by side
  auto each = tree.next();
  for (; !each.is_null() && each["event"] != "note"; each = tree.next())
    if (each["event"] != "stopping")
      happened.push_back(each["event"].get<std::string>() + " " + each.value("id", ""));
  EXPECT_THAT(happened,
              UnorderedElementsAre("exited goes", "exited group/old", "started group/new"));
  EXPECT_THAT(each.value("text", ""), EndsWith(": read again"));
  EXPECT_TRUE(stays.alive());
  EXPECT_FALSE(goes.alive());
  EXPECT_FALSE(old.alive());
  tree.signal(SIGTERM);
  EXPECT_THAT(ends(tree.rest()), ElementsAre("stays", "group/new")) << "in the new file's order";
  EXPECT_EQ(tree.wait(), 0);
}

TEST_F(PenningUp, SighupWithAMistakeInTheFileChangesNothing) {
  const auto path = file("[[child]]\nid = 'a'\nprogram = 'cat'\n");
  running_tree tree{path};
  const auto child = tree.started("a");
  file("[[child]]\nid = 'b'\n");
  tree.signal(SIGHUP);
  EXPECT_THAT(tree.next("note", "")["text"].get<std::string>(),
              AllOf(HasSubstr("not read again, nothing is changed: "), HasSubstr("no program")));
  EXPECT_TRUE(child.alive());
  tree.signal(SIGTERM);
  EXPECT_THAT(ends(tree.rest()), ElementsAre("a"));
  EXPECT_EQ(tree.wait(), 0);
}

TEST_F(PenningUp, SecondSignalKillsWhatIsLeft) {
  running_tree tree{file(R"(
[[child]]
id = "stubborn"
program = "sh"
args = ["-c", "trap '' TERM; echo ready; while true; do sleep 1000; done"]
shutdown = "infinity"
)")};
  const auto child = tree.started("stubborn");
  tree.next("stdout", "stubborn");
  tree.signal(SIGTERM);
  tree.next("note", "");
  EXPECT_TRUE(child.alive());
  tree.signal(SIGTERM);
  EXPECT_EQ(tree.next("exited", "stubborn")["signal"], SIGKILL);
  EXPECT_EQ(tree.wait(), 1); // not in order
}

TEST_F(PenningUp, KillOfItLeavesNothing) {
  running_tree tree{file(R"(
[[child]]
id = "sup"
type = "supervisor"
[[child.child]]
id = "a"
program = "cat"
[[child]]
id = "family"
program = "sh"
args = ["-c", "trap '' TERM; sleep 1000 & echo $!; wait; sleep 1000"]
)")};
  const auto nested = tree.started("sup/a");
  const auto leader = tree.started("family");
  const auto grandchild =
    held_process{std::stoi(tree.next("stdout", "family")["line"].get<std::string>())};
  tree.signal(SIGKILL);
  EXPECT_EQ(tree.wait(), -SIGKILL);
  EXPECT_TRUE(leader.dies_within(1s));
  EXPECT_TRUE(grandchild.dies_within(1s));
  EXPECT_TRUE(nested.dies_within(1s));
}

TEST_F(PenningUp, TooManyRestartsEndIt) {
  running_tree tree{file(R"(
intensity = 2
[[child]]
id = "steady"
program = "cat"
[[child]]
id = "crashing"
program = "sh"
args = ["-c", "echo up; exit 3"]
)")};
  const auto steady = tree.started("steady");
  std::vector<std::string> told;
  for (const auto& each : tree.rest())
    told.push_back(each["event"].get<std::string>() + " " + each.value("id", ""));
  EXPECT_EQ(tree.wait(), 1);
  EXPECT_FALSE(steady.alive());
  EXPECT_THAT(told, ElementsAre("started crashing", "stdout crashing", "exited crashing",
                                "restarted crashing", "stdout crashing", "exited crashing",
                                "restarted crashing", "stdout crashing", "exited crashing",
                                "gave_up ", "exited steady", "note "));
}

TEST_F(PenningUp, ProgramThatCannotBeExecutedFailsTheStart) {
  const auto script = file("#!/no/such/interpreter\n", "script");
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  running_tree tree{file("[[child]]\nid = 'first'\nprogram = 'cat'\n"
                         "[[child]]\nid = 'broken'\nprogram = '"
                         + script + "'")};
  const auto first = tree.started("first");
  const auto failed = tree.next("start_failed", "broken");
  EXPECT_THAT(failed["reason"].get<std::string>(), HasSubstr("No such file or directory"));
  EXPECT_EQ(tree.wait(), 1);
  EXPECT_FALSE(first.alive());
}

TEST_F(PenningUp, ChildStartsOnceThoseBeforeItAreReady) {
  running_tree tree{file(R"(
[[child]]
id = "late"
program = "cat"
start_after = ["early"]
[[child]]
id = "early"
program = "sh"
args = ["-c", "head -c 100000 /dev/zero | tr '\\0' '\\n'; echo ready; exec cat"]
ready = { stdout = "ready" }
)")};
  std::vector<std::string> happened;
  for (auto each = tree.next(); !each.is_null(); each = tree.next()) {
    if (each["event"] != "stdout" || each["line"] != "")
      happened.push_back(each["event"].get<std::string>() + " " + each.value("id", ""));
    if (each["event"] == "started" && each["id"] == "late")
      break;
  }
  EXPECT_THAT(happened, ElementsAre("note ", "stdout early", "started early", "started late"));
  tree.signal(SIGTERM);
  EXPECT_THAT(ends(tree.rest()), ElementsAre("late", "early"));
  EXPECT_EQ(tree.wait(), 0);
}

TEST_F(PenningUp, ChildThatIsNotReadyInTimeHasFailedToStart) {
  running_tree tree{file(R"(
[[child]]
id = "a"
program = "sh"
args = ["-c", "echo $$; exec cat"]
ready = { file = "is-never-there" }
start_timeout = 100
)")};
  const auto line = tree.next("stdout", "a");
  const held_process child{std::stoi(line.value("line", "0"))};
  EXPECT_EQ(tree.next("start_failed", "a")["reason"], "timeout");
  EXPECT_EQ(tree.wait(), 1);
  EXPECT_FALSE(child.alive());
}

TEST_F(PenningUp, RestartsWaitForTheirBackoff) {
  running_tree tree{file(R"(
[[child]]
id = "a"
program = "false"
backoff = { initial = 20, factor = 3, jitter = 0 }
)")};
  for (const auto* delay : {"restarts in 20 ms", "restarts in 60 ms"})
    EXPECT_EQ(tree.next("delayed", "a")["text"], delay);
  EXPECT_FALSE(tree.next("gave_up", "").is_null())
    << "a back-off is no permission to go on for ever";
  EXPECT_EQ(tree.wait(), 1);
}

TEST_F(PenningUp, OutputComesWholeInOrderAndBeforeTheEnd) {
  running_tree tree{file(R"(
[[child]]
id = "a"
program = "sh"
args = ["-c", "printf 'one\ntw'; printf 'o\r\nlast'; exit 7"]
restart = "temporary"
[[child]]
id = "b"
program = "sh"
args = ["-c", "printf err >&2; echo ready; cat"]
)")};
  tree.started("a");
  std::vector<std::string> lines;
  event each;
  bool is_ready = false;
  for (each = tree.next(); each["event"] != "exited"; each = tree.next()) {
    EXPECT_NE(each["event"], "stderr"); // without a line end it waits for more
    if (each["event"] == "stdout" && each["id"] == "a")
      lines.push_back(each["line"]);
    is_ready |= each["event"] == "stdout" && each["id"] == "b";
  }
  EXPECT_THAT(lines, ElementsAre("one", "two", "last"));
  EXPECT_EQ(each["status"], 7);
  if (!is_ready)
    tree.next("stdout", "b");
  tree.signal(SIGTERM);
  EXPECT_EQ(tree.next("stderr", "b")["line"], "err");
  EXPECT_EQ(tree.wait(), 0);
}

TEST_F(PenningUp, SlowReaderLosesNothingAndStopsNobodyElse) {
  constexpr int count = 100'000;
  running_tree tree{file(R"(
[[child]]
id = "talker"
program = "sh"
args = ["-c", "seq 100000; exec cat"]
)")};
  const auto talker = tree.started("talker");
  // The log's pipe is full by now; what is asked about the tree is answered nevertheless.
  EXPECT_EQ(run_penning({"tree", "--json"}).status, 0);
  int last = 0;
  while (last < count)
    ASSERT_EQ(std::stoi(tree.next("stdout", "talker")["line"].get<std::string>()), ++last);
  tree.signal(SIGTERM);
  EXPECT_EQ(tree.wait(), 0);
}

TEST_F(PenningUp, ReaderThatGoesAwayStopsTheTree) {
  running_tree tree{file("[[child]]\nid = 'a'\nprogram = 'sh'\n"
                         "args = ['-c', 'while echo x; do sleep 0.05; done']")};
  const auto child = tree.started("a");
  tree.out.close();
  EXPECT_EQ(tree.wait(), 1);
  EXPECT_FALSE(child.alive());
}

TEST_F(PenningUp, SignalsEndItEvenIfNobodyReadsTheLog) {
  running_tree tree{file("[[child]]\nid = 'a'\nprogram = 'yes'\nshutdown = 100")};
  const auto child = tree.started("a");
  tree.signal(SIGTERM);
  EXPECT_TRUE(child.dies_within(generous));
  for (int i = 0; i < 3; ++i) // as an operator would; how many it needs depends on how far it is
    tree.signal(SIGTERM), held_process{tree.pid()}.dies_within(500ms);
  EXPECT_THAT(tree.wait(), testing::AnyOf(0, 1));
}

TEST_F(PenningUp, TextLogTellsStreamsApart) {
  penning_program tree{{"up", file("[[child]]\nid = 'a'\nprogram = 'sh'\n"
                                   "args = ['-c', 'echo out; echo err >&2; exec cat']")}};
  tree.out.next(); // the greeting
  EXPECT_THAT(
    tree.out.next().value_or(""),
    testing::ContainsRegex(
      "^[0-9-]{10} [0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}  a        \\* started, pid [0-9]+$"));
  // The two come through different pipes: in either order.
  const auto lines = tree.out.next().value_or("") + "\n" + tree.out.next().value_or("");
  EXPECT_THAT(lines, HasSubstr("a        | out"));
  EXPECT_THAT(lines, HasSubstr("a        ! err"));
  tree.signal(SIGTERM);
  EXPECT_EQ(tree.wait(), 0);
}

// -- bad input ------------------------------------------------------------------------------------

TEST_F(PenningUp, FileWithAMistakeStartsNothing) {
  const auto mark = folder() / "mark";
  const auto path = file("[[child]]\nid = 'a'\nprogram = 'touch'\nargs = ['" + mark.string()
                         + "']\n[[child]]\nid = 'b'\nprogram = 'no-such-program'");
  const auto run = run_penning({"up", path});
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(run.err, path + ":7:11: child \"b\": program \"no-such-program\": not found in PATH\n");
  EXPECT_THAT(run.out, IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(mark));
}

TEST_F(PenningUp, BadFilesAreToldWithTheirLine) {
  const auto broken = file("[[child]]\nid = ", "broken.toml");
  EXPECT_THAT(run_penning({"up", broken}).err, StartsWith(broken + ":2:"));
  const auto missing = run_penning({"up", "/no/such.toml"});
  EXPECT_EQ(missing.status, 2);
  EXPECT_EQ(missing.err, "penning: /no/such.toml: No such file or directory\n");
  EXPECT_EQ(run_penning({"up", "/"}).err, "penning: /: Is a directory\n");
}

TEST_F(PenningUp, BadCommandLinesAreRefused) {
  const auto tree = three_children;
  const std::vector<std::vector<std::string>> lines{{},
                                                    {"frobnicate"},
                                                    {"up"},
                                                    {"up", tree, "--log-format", "xml"},
                                                    {"up", tree, "--name", "a/b"},
                                                    {"up", tree, "extra"},
                                                    {"tree", tree, "--name", "x"},
                                                    {"--frobnicate"}};
  for (const auto& line : lines) {
    const auto run = run_penning(line);
    EXPECT_EQ(run.status, 2) << testing::PrintToString(line);
    EXPECT_FALSE(run.err.empty()) << testing::PrintToString(line);
  }
}

TEST_F(PenningUp, HelpAndVersionAreNoErrors) {
  EXPECT_THAT(run_penning({"--version"}).out, StartsWith("penning "));
  const auto help = run_penning({"--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.out, HasSubstr("Exit status"));
}

TEST_F(PenningUp, NameIsTakenOnce) {
  running_tree tree{three_children, {"--name", "demo"}};
  tree.started("one");
  const auto second = run_penning({"up", three_children, "--name", "demo"});
  EXPECT_EQ(second.status, 2);
  EXPECT_EQ(second.err, "penning: an instance named \"demo\" is running already\n");
  EXPECT_THAT(second.out, IsEmpty());
}

} // namespace
} // namespace penning::test
