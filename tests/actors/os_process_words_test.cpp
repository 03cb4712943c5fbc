#include <penning/actors/os_process_words.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace penning::actors {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;

/// The options that a map, or a list of pairs, stands for.
os_process_options read(const term& entries) {
  os_process_options options;
  set_options(options, entries);
  return options;
}

os_process_options with(const char* name, const term& value) {
  return read(map_of({{atom{name}, value}}));
}

TEST(OsProcessWords, AreTheDefaultsWhereNothingIsSaid) {
  const auto options = read(map{});
  EXPECT_FALSE(options.uid || options.groups || options.umask || options.nice || options.pty);
  EXPECT_FALSE(options.cgroup || options.capabilities || options.require_containment);
  EXPECT_EQ(options.stdout, io::stdio_target{io::to_owner{}});
}

TEST(OsProcessWords, AreAtomsOrTextInAMapOrAListOfPairs) {
  for (const term& entries :
       {term{map_of({{"cd"_a, "/"}})}, term{map_of({{"cd", "/"}})},
        term{list_of(tuple_of("cd"_a, "/"))}, term{list_of(tuple_of("cd", charlist("/")))}})
    EXPECT_EQ(read(entries).cd, "/") << to_string(entries);
}

TEST(OsProcessWords, SetTextsFlagsAndNumbers) {
  EXPECT_EQ(with("arg0", "mew").arg0, "mew");
  EXPECT_TRUE(with("clear_env", true).clear_env);
  EXPECT_TRUE(with("allow_root", true).allow_root);
  EXPECT_TRUE(with("no_new_privs", true).no_new_privs);
  EXPECT_TRUE(with("session", true).session);
  EXPECT_TRUE(with("pid_namespace", true).pid_namespace);
  EXPECT_EQ(with("umask", 022).umask, 022u);
  EXPECT_EQ(with("nice", -5).nice, -5);
  EXPECT_EQ(with("delay_to_sigkill", 7).delay_to_sigkill, 7ms);
  EXPECT_EQ(with("stdio_window", 1).stdio_window, 1u);
  EXPECT_THAT(with("success_exit_codes", list_of(0, 255)).success_exit_codes, ElementsAre(0, 255));
  EXPECT_EQ(with("ready", tuple_of("file"_a, "up")).ready, readiness{file_exists{"up"}});
}

TEST(OsProcessWords, SetAndUnsetVariables) {
  const auto given = list_of(tuple_of("A", "1"), tuple_of("B"_a, "false"), tuple_of("C", false),
                             tuple_of("D", "nil"_a), tuple_of("A", "2"));
  EXPECT_THAT(with("env", given).env,
              ElementsAre(Pair("A", "1"), Pair("B", "false"), Pair("C", std::nullopt),
                          Pair("D", std::nullopt), Pair("A", "2")));
  EXPECT_THAT(with("env", map_of({{"A"_a, "1"}})).env, ElementsAre(Pair("A", "1")));
}

TEST(OsProcessWords, NameUsersAndGroupsByNumberOrName) {
  EXPECT_EQ(with("uid", 65'534).uid, io::account{65'534u});
  EXPECT_EQ(with("uid", "nobody").uid, io::account{"nobody"});
  EXPECT_EQ(with("gid", "nogroup"_a).gid, io::account{"nogroup"});
  EXPECT_THAT(with("groups", list_of(4, "tty")).groups.value(),
              ElementsAre(io::account{4u}, io::account{"tty"}));
  EXPECT_TRUE(with("groups", list{}).groups.value().empty());
}

TEST(OsProcessWords, LimitResourcesTogetherOrApart) {
  const auto given =
    list_of(tuple_of("nofile"_a, 64), tuple_of("core", "infinity"_a),
            tuple_of("cpu"_a, tuple_of(1, "infinity"_a)), tuple_of("nproc"_a, list_of(2, 3)));
  const auto limits = with("rlimits", given).rlimits;
  ASSERT_EQ(limits.size(), 4u);
  const auto is = [](const io::resource_limit& limit, const char* name,
                     std::optional<std::uint64_t> soft, std::optional<std::uint64_t> hard) {
    return limit.name == name && limit.soft == soft && limit.hard == hard;
  };
  EXPECT_TRUE(is(limits[0], "nofile", 64, 64));
  EXPECT_TRUE(is(limits[1], "core", std::nullopt, std::nullopt));
  EXPECT_TRUE(is(limits[2], "cpu", 1, std::nullopt));
  EXPECT_TRUE(is(limits[3], "nproc", 2, 3));
}

TEST(OsProcessWords, KeepOrDropCapabilities) {
  using enum io::capability_change::kind;
  const auto names = list_of("kill"_a, "net_raw");
  for (const term& given : {term{tuple_of("keep"_a, names)}, term{map_of({{"keep"_a, names}})},
                            term{list_of(tuple_of("keep"_a, names))}}) {
    const auto change = with("capabilities", given).capabilities.value();
    EXPECT_EQ(change.what, keep);
    EXPECT_THAT(change.names, ElementsAre("kill", "net_raw"));
  }
  EXPECT_EQ(with("capabilities", tuple_of("drop"_a, names)).capabilities.value().what, drop);
}

TEST(OsProcessWords, SendStreamsElsewhere) {
  const auto target = [](const term& value) { return with("stderr", value).stderr; };
  EXPECT_EQ(target("null"_a), io::stdio_target{io::to_null{}});
  EXPECT_EQ(target("closed"), io::stdio_target{io::to_nothing{}});
  EXPECT_EQ(target("stdout"_a), io::stdio_target{io::to_stdout{}});
  EXPECT_EQ(target("owner"_a), io::stdio_target{io::to_owner{}});
  EXPECT_EQ(target(tuple_of("file"_a, "x")), io::stdio_target{io::to_file{"x"}});
  EXPECT_EQ(target(map_of({{"file"_a, "x"}, {"append"_a, true}, {"mode"_a, 0600}})),
            (io::stdio_target{io::to_file{"x", true, 0600}}));
  EXPECT_EQ(with("stdin", "null"_a).stdin, io::stdio_target{io::to_null{}});
  EXPECT_EQ(with("stdout", "null"_a).stdout, io::stdio_target{io::to_null{}});
}

TEST(OsProcessWords, CutStreamsAndBoundThem) {
  using kind = delivery::kind;
  EXPECT_EQ(with("stdout_delivery", "bytes"_a).stdout_delivery, delivery{});
  EXPECT_EQ(with("stdout_delivery", "lines").stdout_delivery, delivery{.what = kind::lines});
  EXPECT_EQ(with("stderr_delivery", map_of({{"max_length"_a, 9}})).stderr_delivery,
            (delivery{.what = kind::lines, .max_length = 9}));
  const auto records = list_of(tuple_of("delimiter"_a, term{std::string{"\0", 1}}));
  EXPECT_EQ(with("stdout_delivery", records).stdout_delivery,
            (delivery{.what = kind::records, .delimiter = std::string{"\0", 1}}));
  EXPECT_EQ(with("stdin_window", 1).stdin_window, 1u);
  EXPECT_EQ(with("stdout_window", 2).stdout_window, 2u);
  EXPECT_EQ(with("stderr_window", 3).stderr_window, 3u);
  EXPECT_EQ(with("stdin_limit", 0).stdin_limit, 0u);
}

TEST(OsProcessWords, TellHowToAdopt) {
  const auto options = adopt_options_from(7, map_of({{"start_time"_a, 8},
                                                     {"stop_signal"_a, "INT"},
                                                     {"delay_to_sigkill"_a, 9},
                                                     {"success_exit_codes"_a, list_of(1)}}));
  EXPECT_EQ(options.pid, 7);
  EXPECT_EQ(options.start_time, 8u);
  EXPECT_EQ(options.stop_signal, signal_choice{"INT"});
  EXPECT_EQ(options.delay_to_sigkill, 9ms);
  EXPECT_THAT(options.success_exit_codes, ElementsAre(1));
  EXPECT_THROW(adopt_options_from("7", map{}), io::option_error);
  EXPECT_THROW(adopt_options_from(7, map_of({{"cd"_a, "/"}})), io::option_error);
}

TEST(OsProcessWords, DescribeATerminal) {
  EXPECT_FALSE(with("pty", false).pty);
  EXPECT_EQ(with("pty", true).pty.value().size, io::window_size{});
  const auto modes =
    list_of(tuple_of("echo"_a, false), tuple_of("icanon", true), tuple_of("vintr"_a, 255));
  const auto pty = with("pty", map_of({{"rows"_a, 1},
                                       {"columns"_a, 2},
                                       {"x_pixels"_a, 3},
                                       {"y_pixels"_a, 4},
                                       {"modes"_a, modes}}))
                     .pty.value();
  EXPECT_EQ(pty.size, (io::window_size{1, 2, 3, 4}));
  EXPECT_THAT(pty.modes, ElementsAre(Pair("echo", 0), Pair("icanon", 1), Pair("vintr", 255)));
}

TEST(OsProcessWords, ChooseWhatBecomesOfDescendants) {
  EXPECT_EQ(with("orphans", "keep"_a).orphans, io::orphan_policy::keep);
  EXPECT_EQ(with("orphans", "kill").orphans, io::orphan_policy::kill);
  using enum io::containment_kind;
  const auto required = [](const char* word) {
    return with("require_containment", atom{word}).require_containment;
  };
  EXPECT_EQ(required("process_group"), process_group);
  EXPECT_EQ(required("subreaper"), subreaper);
  EXPECT_EQ(required("cgroup"), cgroup);
  EXPECT_EQ(required("pid_namespace"), pid_namespace);
}

TEST(OsProcessWords, FillOneControlGroup) {
  const auto sets =
    list_of(tuple_of("memory", "memory.max", "max"_a), list_of("cpu", "cpu.weight", "5"));
  const auto group = read(map_of({{"cgroup_base"_a, "jobs"},
                                  {"cgroup_path"_a, "jobs/one"},
                                  {"cgroup_controllers"_a, list_of("cpu"_a, "memory")},
                                  {"cgroup_sets"_a, sets},
                                  {"limits"_a, map_of({{"memory"_a, 1}})}}))
                       .cgroup.value();
  EXPECT_EQ(group.base, "jobs");
  EXPECT_EQ(group.path, "jobs/one");
  EXPECT_THAT(group.controllers, ElementsAre("cpu", "memory"));
  ASSERT_EQ(group.sets.size(), 2u);
  EXPECT_EQ(group.sets[0].controller, "memory");
  EXPECT_EQ(group.sets[0].value, "max");
  EXPECT_EQ(group.sets[1].key, "cpu.weight");
  EXPECT_EQ(group.memory, 1u);
}

TEST(OsProcessWords, LimitAControlGroup) {
  const auto device = map_of({{"device"_a, "/dev/sda"},
                              {"read_bytes"_a, 3},
                              {"write_bytes"_a, 4},
                              {"read_operations"_a, 5},
                              {"write_operations"_a, 6}});
  const auto group =
    with("limits",
         map_of({{"memory"_a, 1}, {"cpu"_a, 0.5}, {"pids"_a, 2}, {"io"_a, list_of(device)}}))
      .cgroup.value();
  EXPECT_EQ(group.memory, 1u);
  EXPECT_EQ(group.cpu, 0.5);
  EXPECT_EQ(group.pids, 2u);
  ASSERT_EQ(group.io.size(), 1u);
  EXPECT_EQ(group.io[0].device, "/dev/sda");
  EXPECT_EQ(group.io[0].read_bytes, 3u);
  EXPECT_EQ(group.io[0].write_bytes, 4u);
  EXPECT_EQ(group.io[0].read_operations, 5u);
  EXPECT_EQ(group.io[0].write_operations, 6u);
  EXPECT_EQ(with("limits", map_of({{"cpu"_a, 2}})).cgroup.value().cpu, 2.0);
}

TEST(OsProcessWords, SetACommand) {
  os_process_options options;
  set_command(options, "cat", list_of("-u", list_of("-", 'v' + 0)));
  EXPECT_EQ(options.program, "cat");
  EXPECT_THAT(options.args, ElementsAre("-u", "-v"));
  EXPECT_THROW(set_command(options, 7, list{}), io::option_error);
  EXPECT_THROW(set_command(options, "cat", list_of(1.5)), io::option_error);
}

TEST(OsProcessWords, AreAllKnownByName) {
  for (const auto name : option_names()) {
    os_process_options options;
    try {
      set_option(options, name, tuple{}); // which no option takes
      ADD_FAILURE() << name;
    } catch (const io::option_error& error) {
      EXPECT_EQ(error.option(), name);
      EXPECT_EQ(error.value(), "{}");
      EXPECT_NE(error.problem(), "is not an option");
    }
  }
}

struct mistake {
  term given;
  std::string told; // OPTION VALUE: PROBLEM
};

class OsProcessMistake : public testing::TestWithParam<mistake> {};

TEST_P(OsProcessMistake, IsRefusedByName) {
  try {
    read(GetParam().given);
    FAIL() << "expected " << GetParam().told;
  } catch (const io::option_error& error) {
    EXPECT_EQ(error.option() + " " + error.value() + ": " + error.problem(), GetParam().told);
  }
}

term one(const char* key, const term& value) {
  return map_of({{atom{key}, value}});
}

mistake bad(const char* name, const term& value, const std::string& told) {
  return {one(name, value), name + told};
}

INSTANTIATE_TEST_SUITE_P(
  Shapes, OsProcessMistake,
  testing::Values(
    mistake{7, "options 7: must be a map or a list of pairs"},
    mistake{list_of("cd"_a), "options cd: must be a pair of a name and a value"},
    mistake{list::with_tail({tuple_of("cd"_a, "/")}, 1),
            "options [{cd,<<\"/\">>}|1]: must be a map or a list of pairs"},
    mistake{map_of({{7, "/"}}), "options 7: must be a name"},
    mistake{map_of({{"cd"_a, "/"}, {"cd", "/"}}), "cd <<\"/\">>: is given twice"},
    bad("colour", 1, " 1: is not an option"), bad("cd", "root"_a, " root: must be text"),
    bad("session", 1, " 1: must be true or false"),
    bad("stdout_delivery", "words"_a,
        " words: must be bytes, lines or a map of delimiter and max_length"),
    bad("stdout_delivery", one("colour", 1), ".colour 1: is not an option"),
    bad("stderr_delivery", one("max_length", 0), ".max_length 0: must be from 1 to 33554432"),
    bad("stdout_delivery", one("delimiter", ""), ".delimiter <<>>: must not be empty"),
    bad("stdin_limit", -1, " -1: must not be negative"),
    bad("umask", "022", " <<\"022\">>: must be an integer"),
    bad("umask", -1, " -1: must not be negative"),
    bad("nice", std::int64_t{1} << 40, " 1099511627776: must be from -2147483648 to 2147483647"),
    bad("delay_to_sigkill", std::int64_t{1} << 32, " 4294967296: must be from 0 to 4294967295"),
    bad("stdio_window", 0, " 0: must be at least 1"),
    bad("success_exit_codes", list_of(1, 256), " 256: must be from 0 to 255"),
    bad("success_exit_codes", 3, " 3: must be a list"),
    bad("ready", 7,
        " 7: must be {stdout, Text}, {tcp, Host, Port}, {unix, Path}, {file, Path} or "
        "{command, Program, Args}")));

INSTANTIATE_TEST_SUITE_P(
  Launch, OsProcessMistake,
  testing::Values(
    bad("env", "A=B", " <<\"A=B\">>: must be a map or a list of pairs"),
    bad("env", one("A", true), ".A true: must be text, or false to unset it"),
    bad("env", map_of({{1, "x"}}), " 1: must be a name"),
    bad("uid", 1.5, " 1.5: must be a number or a name"),
    bad("uid", "nil"_a, " nil: must be a number or a name"),
    bad("gid", -1, " -1: must not be negative"),
    bad("groups", "adm", " <<\"adm\">>: must be a list"),
    bad("groups", list_of(true), " true: must be a number or a name"),
    bad("rlimits", one("nofile", "many"),
        ".nofile <<\"many\">>: must be an integer, infinity or a pair of them"),
    bad("rlimits", one("nofile", list_of(1)),
        ".nofile [1]: must be an integer, infinity or a pair of them"),
    bad("rlimits", one("nofile", tuple_of(1, -1)), ".nofile -1: must not be negative"),
    bad("capabilities", list{}, " []: must have either keep or drop, with a list of names"),
    bad("capabilities", tuple_of("take"_a, list{}),
        " {take,[]}: must have either keep or drop, with a list of names"),
    bad("capabilities", tuple_of("keep"_a, "kill"_a), ".keep kill: must be a list"),
    bad("stdout", "file"_a, " file: must be owner, null, closed, stdout or a file"),
    bad("stdout", one("path", "x"), ".path <<\"x\">>: is not an option"),
    bad("stdout", one("mode", "rw"), ".mode <<\"rw\">>: must be an integer"),
    bad("pty", 7, " 7: must be a map or a list of pairs"),
    bad("pty", "yes"_a, " yes: must be true or false"),
    bad("pty", one("rows", 65'536), ".rows 65536: must be from 0 to 65535"),
    bad("pty", one("modes", one("echo", 0.5)), ".modes.echo 0.5: must be an integer"),
    bad("pty", one("modes", one("echo", "off"_a)), ".modes.echo off: must be true or false"),
    bad("orphans", "drop"_a, " drop: must be kill or keep"),
    bad("require_containment", "jail"_a,
        " jail: must be process_group, subreaper, cgroup or pid_namespace")));

INSTANTIATE_TEST_SUITE_P(
  Cgroup, OsProcessMistake,
  testing::Values(bad("cgroup_controllers", "cpu", " <<\"cpu\">>: must be a list"),
                  bad("cgroup_sets", list_of(tuple_of("cpu", "cpu.weight")),
                      " {<<\"cpu\">>,<<\"cpu.weight\">>}: must be a controller, a key and a value"),
                  bad("limits", one("memory", "1G"), ".memory <<\"1G\">>: must be an integer"),
                  bad("limits", one("cpu", "half"_a), ".cpu half: must be a number"),
                  bad("limits", one("disk", 1), ".disk 1: is not an option"),
                  bad("limits", one("io", list_of(one("device", 7))), ".io.device 7: must be text"),
                  bad("limits", one("io", list_of(one("read_bytes", -1))),
                      ".io.read_bytes -1: must not be negative")));

} // namespace
} // namespace penning::actors
