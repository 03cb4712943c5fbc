#include <penning/supervision/tree_file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace penning::supervision {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

/// All that is said about a text; nothing if it is right.
std::string errors_of(std::string_view text) {
  try {
    parse_tree(text, "tree.toml");
    return "";
  } catch (const tree_file_error& error) {
    return error.what();
  }
}

/// The errors of a child that has `line` as its third line.
std::string errors_of_child_with(const std::string& line) {
  return errors_of("[[child]]\nid = \"a\"\n" + line + "\nprogram = \"true\"\n");
}

const tree_program& program(const tree_child& child) {
  return std::get<tree_program>(child.what);
}

tree_child only_child(std::string_view text) {
  return parse_tree(text, "tree.toml").children.at(0);
}

TEST(TreeFile, ChildHasTheDefaultsOfOtp) {
  const auto tree = parse_tree("[[child]]\nid = 'a'\nprogram = 'true'", "tree.toml");
  EXPECT_EQ(tree.flags.intensity, 1u);
  EXPECT_EQ(tree.flags.period, 5s);
  ASSERT_THAT(tree.children, SizeIs(1));
  const auto& child = tree.children[0];
  EXPECT_EQ(child.id, "a");
  EXPECT_EQ(child.restart, restart_type::permanent);
  EXPECT_EQ(std::get<std::chrono::milliseconds>(child.shutdown), 5s);
  EXPECT_EQ(child.at, (file_position{1, 1}));
  EXPECT_EQ(program(child).options.delay_to_sigkill, 500ms);
  EXPECT_EQ(program(child).options.stdio_window, 65'536u);
}

TEST(TreeFile, ChildHasWhatTheFileSays) {
  const auto child = only_child(R"(
intensity = 0
period = 60
strategy = "one_for_one"
[[child]]
id = "web"
type = "worker"
program = "/bin/sh"
args = ["-c", "exit 3"]
arg0 = "shell"
cd = "/"
env = { LANG = "C", HOME = false }
restart = "transient"
shutdown = "brutal_kill"
delay_to_sigkill = 20
stdio_window = 1
success_exit_codes = [3, 4]
)");
  const auto& options = program(child).options;
  EXPECT_EQ(child.restart, restart_type::transient);
  EXPECT_TRUE(std::holds_alternative<brutal_kill>(child.shutdown));
  EXPECT_EQ(options.program, "/bin/sh");
  EXPECT_THAT(options.args, ElementsAre("-c", "exit 3"));
  EXPECT_EQ(options.arg0, "shell");
  EXPECT_EQ(options.cd, "/");
  EXPECT_THAT(options.env, ElementsAre(io::environment_change{"HOME", std::nullopt},
                                       io::environment_change{"LANG", "C"}));
  EXPECT_EQ(options.delay_to_sigkill, 20ms);
  EXPECT_EQ(options.stdio_window, 1u);
  EXPECT_THAT(options.success_exit_codes, ElementsAre(3, 4));
}

TEST(TreeFile, ChildHasTheOptionsOfAnOsProcess) {
  const auto child = only_child(R"(
[[child]]
id = "web"
program = "true"
uid = "nobody"
groups = [4, "tty"]
umask = 0o022
rlimits = { nofile = 64, core = [0, "infinity"] }
capabilities = { keep = ["kill"] }
orphans = "keep"
stdin = "null"
stdout = { file = "out", append = true, mode = 0o600 }
stderr = "stdout"
pty = { rows = 1, modes = { echo = false } }
cgroup_sets = [["memory", "memory.max", "max"]]
limits = { cpu = 0.5, io = [{ device = "8:0", read_bytes = 1 }] }
)");
  const auto& options = program(child).options;
  EXPECT_EQ(options.uid, io::account{"nobody"});
  EXPECT_THAT(options.groups.value(), ElementsAre(io::account{4u}, io::account{"tty"}));
  EXPECT_EQ(options.umask, 022u);
  EXPECT_EQ(options.rlimits.at(0).name, "core");
  EXPECT_EQ(options.rlimits.at(0).hard, std::nullopt);
  EXPECT_THAT(options.capabilities.value().names, ElementsAre("kill"));
  EXPECT_EQ(options.orphans, io::orphan_policy::keep);
  EXPECT_EQ(options.stdin, io::stdio_target{io::to_null{}});
  EXPECT_EQ(options.stdout, (io::stdio_target{io::to_file{"out", true, 0600}}));
  EXPECT_EQ(options.stderr, io::stdio_target{io::to_stdout{}});
  EXPECT_EQ(options.pty.value().modes.at(0).second, 0u);
  EXPECT_EQ(options.cgroup.value().sets.at(0).value, "max");
  EXPECT_EQ(options.cgroup.value().io.at(0).read_bytes, 1u);
}

TEST(TreeFile, SupervisorsNest) {
  const auto child = only_child(R"(
[[child]]
id = "back"
type = "supervisor"
intensity = 7
[[child.child]]
id = "one"
program = "true"
[[child.child]]
id = "deep"
type = "supervisor"
[[child.child.child]]
id = "two"
program = "false"
)");
  EXPECT_TRUE(std::holds_alternative<infinity>(child.shutdown));
  const auto& back = std::get<tree_supervisor>(child.what);
  EXPECT_EQ(back.flags.intensity, 7u);
  ASSERT_THAT(back.children, SizeIs(2));
  EXPECT_EQ(back.children[0].id, "one");
  const auto& deep = std::get<tree_supervisor>(back.children[1].what);
  EXPECT_EQ(program(deep.children.at(0)).options.program, "false");
}

TEST(TreeFile, TimeToEndIsNotCutShortBySigkill) {
  const auto delay = [](const std::string& line) {
    return program(only_child("[[child]]\nid = 'a'\nprogram = 'true'\n" + line))
      .options.delay_to_sigkill;
  };
  EXPECT_EQ(delay("shutdown = 9000"), 9s);
  EXPECT_EQ(delay("shutdown = 9000\ndelay_to_sigkill = 10"), 10ms);
  EXPECT_EQ(delay("shutdown = 'brutal_kill'"), 500ms);
  EXPECT_GT(delay("shutdown = 'infinity'"), 24h);
}

TEST(TreeFile, SyntaxErrorHasItsLine) {
  EXPECT_THAT(errors_of("[[child]]\nid = \"a\nprogram = 1"), StartsWith("tree.toml:2:"));
  EXPECT_THAT(errors_of("[[child]]\nid = 'a'\nid = 'b'"), StartsWith("tree.toml:3:"));
}

TEST(TreeFile, FileWithoutAChildIsRefused) {
  EXPECT_EQ(errors_of(""), "tree.toml:1:1: a supervisor without a child");
  EXPECT_EQ(errors_of("child = []"), "tree.toml:1:9: a supervisor without a child");
  EXPECT_EQ(errors_of("[[child]]\nid = 's'\ntype = 'supervisor'"),
            "tree.toml:1:1: child \"s\": a supervisor without a child");
}

TEST(TreeFile, UnknownKeyIsNamedWithThoseThatAreKnown) {
  EXPECT_THAT(errors_of("[[child]]\nid = 'a'\nprogam = 'x'\nprogram = 'x'"),
              StartsWith("tree.toml:3:1: child \"a\": unknown key \"progam\"; known here: id, "));
  EXPECT_THAT(errors_of("\nbackoff = 1\n[[child]]\nid = 'a'\nprogram = 'x'"),
              StartsWith("tree.toml:2:1: unknown key \"backoff\"; known here: strategy, "));
  EXPECT_THAT(errors_of("[[child]]\nid = 's'\ntype = 'supervisor'\nprogram = 'x'\n"
                        "[[child.child]]\nid = 'a'\nprogram = 'x'"),
              StartsWith("tree.toml:4:1: child \"s\": unknown key \"program\""));
}

TEST(TreeFile, ChildNeedsAnIdAndAProgram) {
  EXPECT_EQ(errors_of("\n[[child]]\nprogram = 'x'"), "tree.toml:2:1: child number 1: no id");
  EXPECT_EQ(errors_of("[[child]]\nid = ''\nprogram = 'x'"),
            "tree.toml:2:6: child number 1: id = '': must not be empty");
  EXPECT_EQ(errors_of("\n\n[[child]]\nid = 'a'"), "tree.toml:3:1: child \"a\": no program");
  EXPECT_EQ(errors_of("[[child]]\nid = 'a'\nprogram = ''"),
            "tree.toml:3:11: child \"a\": program = '': must not be empty");
  EXPECT_THAT(errors_of("[[child]]\nid = 'a/b'\nprogram = 'x'"), HasSubstr("a slash"));
}

TEST(TreeFile, CommandLineIsNoProgram) {
  EXPECT_EQ(errors_of("[[child]]\nid = 'a'\nprogram = ['x', '-v']"),
            "tree.toml:3:11: child \"a\": program = [ 'x', '-v' ]: must be text");
}

TEST(TreeFile, IdOccursOnceWithinASupervisor) {
  EXPECT_EQ(errors_of("[[child]]\nid = 'a'\nprogram = 'x'\n[[child]]\nid = 'a'\nprogram = 'x'"),
            "tree.toml:5:6: child \"a\": id = 'a': occurs twice; first in line 2");
  EXPECT_EQ(errors_of("[[child]]\nid = 'a'\nprogram = 'x'\n[[child]]\nid = 's'\n"
                      "type = 'supervisor'\n[[child.child]]\nid = 'a'\nprogram = 'x'"),
            "");
}

struct bad_line {
  const char* name; // of the test
  std::string line;
  std::string problem;
};

class TreeFileBadLine : public testing::TestWithParam<bad_line> {};

TEST_P(TreeFileBadLine, IsToldWithKeyAndValue) {
  const auto errors = errors_of_child_with(GetParam().line);
  EXPECT_THAT(errors, StartsWith("tree.toml:3:"));
  EXPECT_THAT(errors, HasSubstr("child \"a\": " + GetParam().problem));
  EXPECT_EQ(errors.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
  All, TreeFileBadLine,
  testing::Values(
    bad_line{"Restart", "restart = 'sometimes'",
             "restart = 'sometimes': must be \"permanent\", \"transient\" or \"temporary\""},
    bad_line{"RestartType", "restart = 1", "restart = 1: must be a string, not an integer"},
    bad_line{"Type", "type = 'job'", "type = 'job': must be \"worker\" or \"supervisor\""},
    bad_line{"NegativeShutdown", "shutdown = -1", "shutdown = -1: must not be negative"},
    bad_line{"ShutdownWord", "shutdown = 'soon'",
             "shutdown = 'soon': must be milliseconds, \"brutal_kill\" or \"infinity\""},
    bad_line{"ShutdownType", "shutdown = 1.5", "shutdown = 1.5: must be milliseconds"},
    bad_line{"NegativeDelay", "delay_to_sigkill = -5",
             "delay_to_sigkill = -5: must not be negative"},
    bad_line{"DelayType", "delay_to_sigkill = '5 s'",
             "delay_to_sigkill = '5 s': must be an integer"},
    bad_line{"Window", "stdio_window = 0", "stdio_window = 0: must be at least 1"},
    bad_line{"NegativeWindow", "stdio_window = -1", "stdio_window = -1: must be at least 1"},
    bad_line{"Args", "args = 'x'", "args = 'x': must be a list"},
    bad_line{"Arg", "args = ['x', 2]", "args has the element 2: must be text"},
    bad_line{"Env", "env = 'A=B'", "env = 'A=B': must be a map or a list of pairs"},
    bad_line{"EnvValue", "env = { A = true }", "env.A = true: must be text, or false to unset it"},
    bad_line{"Code", "success_exit_codes = [256]",
             "success_exit_codes has the element 256: must be from 0 to 255"},
    bad_line{"CodeType", "success_exit_codes = 3", "success_exit_codes = 3: must be a list"},
    bad_line{"Cd", "cd = false", "cd = false: must be text"},
    bad_line{"Arg0", "arg0 = 2024-11-20", "arg0 = 2024-11-20: must be text"},
    bad_line{"NaN", "cd = nan", "cd = nan: must be text"},
    bad_line{"Inner", "pty = { rows = 24, columns = -1 }",
             "pty.columns = -1: must not be negative"},
    bad_line{"InnerOfTheSameValue", "limits = { cpu = 1, disk = 1 }",
             "limits.disk = 1: is not an option"},
    bad_line{"InnerOfAnElement", "limits = { io = [{ device = 'a' }, { device = 7 }] }",
             "limits.io.device = 7: must be text"},
    bad_line{"DottedName", "env = { 'A.B' = 1 }",
             "env.A.B = 1: must be text, or false to unset it"},
    bad_line{"TextInAnArray", "cd = ['/', 'tmp']", "cd = [ '/', 'tmp' ]: must be text"},
    bad_line{"User", "uid = true", "uid = true: must be a number or a name"},
    bad_line{"Stream", "stdout = 'file'",
             "stdout = 'file': must be owner, null, closed, stdout or a file"}),
  [](const auto& about) { return std::string{about.param.name}; });

TEST(TreeFile, FlagsOfASupervisorAreChecked) {
  const auto errors_with = [](const std::string& line) {
    return errors_of(line + "\n[[child]]\nid = 'a'\nprogram = 'x'");
  };
  EXPECT_EQ(errors_with("intensity = -1"), "tree.toml:1:13: intensity = -1: must not be negative");
  EXPECT_THAT(errors_with("period = 0"), HasSubstr("period = 0: must be from 1 to "));
  EXPECT_THAT(errors_with("intensity = 1.0"), HasSubstr("not a floating-point number"));
  EXPECT_EQ(errors_with("strategy = 'simple_one_for_one'"),
            "tree.toml:1:12: strategy = 'simple_one_for_one': must be \"one_for_one\", "
            "\"one_for_all\" or \"rest_for_one\"");
  EXPECT_THAT(errors_with("auto_shutdown = 'x'"), HasSubstr("auto_shutdown = 'x': must be"));
}

TEST(TreeFile, SignificantChildNeedsASupervisorThatMinds) {
  const auto errors_with = [](const std::string& flags, const std::string& line) {
    return errors_of(flags + "\n[[child]]\nid = 'a'\nprogram = 'x'\n" + line);
  };
  EXPECT_THAT(errors_with("", "restart = 'transient'\nsignificant = true"),
              HasSubstr("significant = true: its supervisor's auto_shutdown is \"never\""));
  EXPECT_THAT(errors_with("auto_shutdown = 'any_significant'", "significant = true"),
              HasSubstr("significant = true: a permanent child cannot be"));
  const auto tree = parse_tree("auto_shutdown = 'any_significant'\nstrategy = 'rest_for_one'\n"
                               "[[child]]\nid = 'a'\nprogram = 'x'\nrestart = 'temporary'\n"
                               "significant = true",
                               "t");
  EXPECT_EQ(tree.flags.strategy, strategy::rest_for_one);
  EXPECT_EQ(tree.flags.auto_shutdown, auto_shutdown::any_significant);
  EXPECT_TRUE(tree.children[0].significant);
}

TEST(TreeFile, MistakeInANestedChildNamesItsParents) {
  EXPECT_EQ(errors_of("[[child]]\nid = 's'\ntype = 'supervisor'\n[[child.child]]\nid = 'a'"),
            "tree.toml:4:1: child \"s\": child \"a\": no program");
}

TEST(TreeFile, AllMistakesAreToldInOrder) {
  try {
    parse_tree("period = -1\n[[child]]\nrestart = 'x'\n[[child]]\nid = 'b'", "t");
    FAIL();
  } catch (const tree_file_error& error) {
    std::vector<std::uint32_t> lines;
    for (const auto& mistake : error.mistakes())
      lines.push_back(mistake.at.line);
    EXPECT_THAT(lines, ElementsAre(1, 2, 2, 3, 4));
  }
}

TEST(TreeFile, ChildThatIsNoTableIsRefused) {
  EXPECT_THAT(errors_of("child = ['a']"), HasSubstr("child has the element 'a'"));
  EXPECT_THAT(errors_of("child = 'a'"), HasSubstr("must be an array of tables"));
  EXPECT_THAT(errors_of("[child]\nid = 'a'\nprogram = 'x'"),
              StartsWith("tree.toml:1:1: child must be an array of tables, written [[child]]"));
}

// -- what only the machine can tell ---------------------------------------------------------------

std::string machine_errors_of(const std::string& text) {
  try {
    check_programs(parse_tree(text, "tree.toml"), "tree.toml");
    return "";
  } catch (const tree_file_error& error) {
    return error.what();
  }
}

TEST(TreeFile, ProgramsThatExistAreFound) {
  EXPECT_THAT(machine_errors_of("[[child]]\nid = 'a'\nprogram = 'sh'\ncd = '/'"), IsEmpty());
}

TEST(TreeFile, MissingProgramIsToldWithItsLine) {
  EXPECT_EQ(machine_errors_of("[[child]]\nid = 'a'\nprogram = 'no-such-program'"),
            "tree.toml:3:11: child \"a\": program \"no-such-program\": not found in PATH");
}

TEST(TreeFile, ProgramWithoutTheExecuteBitIsToldWithItsLine) {
  const auto file = std::filesystem::path{testing::TempDir()} / "not_executable";
  std::ofstream{file} << "#!/bin/sh\n";
  EXPECT_THAT(machine_errors_of("[[child]]\nid = 'a'\nprogram = '" + file.string() + "'"),
              AllOf(StartsWith("tree.toml:3:11: "), HasSubstr("not an executable file")));
}

TEST(TreeFile, MissingWorkingDirectoryIsToldWithItsLine) {
  EXPECT_EQ(machine_errors_of("[[child]]\nid = 's'\ntype = 'supervisor'\n[[child.child]]\n"
                              "id = 'a'\nprogram = 'sh'\ncd = '/no/such'"),
            "tree.toml:7:6: child \"s\": child \"a\": cd \"/no/such\": No such file or directory");
}

TEST(TreeFile, OptionThatTheMachineRefusesIsToldWithItsLine) {
  EXPECT_THAT(machine_errors_of("[[child]]\nid = 'a'\nprogram = 'sh'\nuid = 'no-such-user'"),
              StartsWith("tree.toml:4:7: child \"a\": uid \"no-such-user\": "));
  EXPECT_THAT(machine_errors_of("[[child]]\nid = 'a'\nprogram = 'sh'\numask = 0o1777"),
              StartsWith("tree.toml:4:9: child \"a\": umask "));
}

TEST(TreeFile, TextThatNoProgramCanTakeIsRefused) {
  EXPECT_THAT(machine_errors_of("[[child]]\nid = 'a'\nprogram = 'sh'\nargs = [\"a\\u0000\"]"),
              StartsWith("tree.toml:4:8: child \"a\": args \"a\\0\": contains a NUL byte"));
  EXPECT_THAT(machine_errors_of("[[child]]\nid = 'a'\nprogram = 'sh'\nenv = { 'A=B' = 'c' }"),
              StartsWith("tree.toml:4:7: child \"a\": env \"A=B\""));
}

} // namespace
} // namespace penning::supervision
