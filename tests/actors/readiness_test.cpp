#include "support/print_term.hpp"

#include <penning/actors/readiness.hpp>
#include <penning/actors/ready_probe.hpp>
#include <penning/actors/timer.hpp>

#include <gtest/gtest.h>

#include <string>

namespace penning::actors {
namespace {

using namespace std::chrono_literals;

struct spelling {
  term written;
  readiness meant;
};

class ReadinessTerm : public testing::TestWithParam<spelling> {};

TEST_P(ReadinessTerm, IsReadAndWritten) {
  EXPECT_EQ(readiness_from_term(GetParam().written), GetParam().meant);
  EXPECT_EQ(to_term(GetParam().meant), GetParam().written);
}

INSTANTIATE_TEST_SUITE_P(
  Kinds, ReadinessTerm,
  testing::Values(spelling{tuple_of("stdout"_a, "ready"), {stdout_line{"ready"}}},
                  spelling{tuple_of("tcp"_a, "::1", 65'535), {tcp_accepts{"::1", 65'535}}},
                  spelling{tuple_of("tcp"_a, "localhost", 1), {tcp_accepts{"localhost", 1}}},
                  spelling{tuple_of("unix"_a, "@name"), {unix_accepts{"@name"}}},
                  spelling{tuple_of("file"_a, "a/b"), {file_exists{"a/b"}}},
                  spelling{tuple_of("command"_a, "pg_isready", list_of("-q", "")),
                           {command_succeeds{"pg_isready", {"-q", ""}}}},
                  spelling{map_of({{"check"_a, tuple_of("file"_a, "x")}, {"interval"_a, 1}}),
                           {file_exists{"x"}, 1ms}},
                  spelling{
                    map_of({{"check"_a, tuple_of("file"_a, "x")}, {"interval"_a, 4'294'967'295}}),
                    {file_exists{"x"}, max_delay}}));

TEST(Readiness, IsReadFromAMapWithoutAnInterval) {
  EXPECT_EQ(readiness_from_term(map_of({{"check"_a, tuple_of("file"_a, "x")}})),
            (readiness{file_exists{"x"}, 100ms}));
}

TEST(Readiness, IsReadFromIodata) {
  EXPECT_EQ(readiness_from_term(tuple_of("file"_a, list_of("a", list_of('b' + 0, "c")))),
            (readiness{file_exists{"abc"}}));
  EXPECT_EQ(readiness_from_term(tuple_of("command"_a, charlist("ls"), list_of(charlist("-l")))),
            (readiness{command_succeeds{"ls", {"-l"}}}));
}

/// What is wrong: `VALUE: PROBLEM`, and of an inner value `.NAME VALUE: PROBLEM`.
template <class Call>
std::string refusal(Call call) {
  try {
    call();
    return "";
  } catch (const io::option_error& error) {
    EXPECT_TRUE(error.option().starts_with("ready")) << error.option();
    const auto inner = error.option().substr(5);
    return inner + (inner.empty() ? "" : " ") + error.value() + ": " + error.problem();
  }
}

struct mistake {
  term written;
  std::string problem;
};

class ReadinessMistake : public testing::TestWithParam<mistake> {};

TEST_P(ReadinessMistake, IsRefused) {
  EXPECT_EQ(refusal([] { readiness_from_term(GetParam().written); }), GetParam().problem);
}

const std::string kinds = "must be {stdout, Text}, {tcp, Host, Port}, {unix, Path}, {file, Path} "
                          "or {command, Program, Args}";

INSTANTIATE_TEST_SUITE_P(
  Kinds, ReadinessMistake,
  testing::Values(
    mistake{"stdout"_a, "stdout: " + kinds}, mistake{tuple_of("stdout"_a), "{stdout}: " + kinds},
    mistake{tuple_of("http"_a, "x"), "{http,<<\"x\">>}: " + kinds},
    mistake{tuple_of("tcp"_a, "::1"), "{tcp,<<\"::1\">>}: " + kinds},
    mistake{map{}, "#{}: has no check"},
    mistake{map_of({{"check"_a, "x"}}), ".check <<\"x\">>: " + kinds},
    mistake{map_of({{"check"_a, map{}}}), ".check #{}: " + kinds},
    mistake{map_of({{"check"_a, tuple_of("file"_a, "x")}, {"every"_a, 1}}),
            ".every 1: is not an option"},
    mistake{map_of({{"check"_a, tuple_of("file"_a, "x")}, {"interval"_a, "1s"}}),
            ".interval <<\"1s\">>: must be an integer"},
    mistake{map_of({{"check"_a, tuple_of("file"_a, "x")}, {"interval"_a, 0}}),
            "0: an interval must be from 1 to 4294967295 ms"},
    mistake{tuple_of("stdout"_a, 1), "1: must be text"},
    mistake{tuple_of("stdout"_a, ""), ": the text of a line must not be empty"},
    mistake{tuple_of("stdout"_a, "a\n"), "a\n: the text of a line cannot contain a newline"},
    mistake{tuple_of("tcp"_a, "example.org", 80),
            "example.org: a host must be an IPv4 or IPv6 address or localhost"},
    mistake{tuple_of("tcp"_a, "::1", 0), "0: a port must be from 1 to 65535"},
    mistake{tuple_of("tcp"_a, "::1", 65'536), "65536: a port must be from 1 to 65535"},
    mistake{tuple_of("tcp"_a, "::1", "80"), "<<\"80\">>: a port must be from 1 to 65535"},
    mistake{tuple_of("unix"_a, ""), ": a path must not be empty"},
    mistake{tuple_of("unix"_a, std::string(108, 'x')),
            std::string(108, 'x') + ": the path of a socket has at most 107 bytes"},
    mistake{tuple_of("file"_a, ""), ": a path must not be empty"},
    mistake{tuple_of("file"_a, std::string(1, '\0')),
            std::string(1, '\0') + ": a path cannot contain a NUL byte"},
    mistake{tuple_of("command"_a, "", list{}), ": the command's program must not be empty"},
    mistake{tuple_of("command"_a, "ls", "-l"), "<<\"-l\">>: must be a list"},
    mistake{tuple_of("command"_a, "ls", list_of(1.5)), "1.5: must be text"}));

TEST(Readiness, RefusesAHostWithANul) {
  EXPECT_NE(refusal([] { validate(readiness{tcp_accepts{std::string{"::1\0x", 5}, 80}}); }), "");
}

TEST(Readiness, RefusesAnIntervalThatNoTimerTakes) {
  EXPECT_EQ(refusal([] {
              validate(readiness{file_exists{"x"}, max_delay + 1ms});
            }),
            "4294967296: an interval must be from 1 to 4294967295 ms");
}

TEST(Readiness, CountsItsPathsFromADirectory) {
  const auto from_usr = [](ready_check check) { return from_directory({check}, "/usr").check; };
  EXPECT_EQ(from_usr(file_exists{"a"}), ready_check{file_exists{"/usr/a"}});
  EXPECT_EQ(from_usr(file_exists{"/a"}), ready_check{file_exists{"/a"}});
  EXPECT_EQ(from_usr(unix_accepts{"a"}), ready_check{unix_accepts{"/usr/a"}});
  EXPECT_EQ(from_usr(unix_accepts{"@a"}), ready_check{unix_accepts{"@a"}});
  EXPECT_EQ(from_usr(command_succeeds{"./a"}), ready_check{command_succeeds{"./a"}});
  EXPECT_EQ(from_directory({file_exists{"a"}}, "").check, ready_check{file_exists{"a"}});
}

TEST(Readiness, OfAProcessIsRefusedWhereItsSocketIsTooDeepInItsDirectory) {
  os_process_options options{{.program = "/bin/true", .cd = "/usr"}};
  options.ready = readiness{unix_accepts{std::string(102, 'x')}};
  EXPECT_NO_THROW(validate(options));
  options.ready = readiness{unix_accepts{std::string(103, 'x')}};
  EXPECT_NE(refusal([&] { validate(options); }), "");
}

TEST(Readiness, OfAProcessIsRefusedAsALineThatNobodyWouldRead) {
  os_process_options options{{.program = "/bin/true"}};
  options.ready = readiness{stdout_line{"up"}};
  EXPECT_NO_THROW(validate(options));
  options.stdout = io::to_null{};
  EXPECT_EQ(refusal([&] { validate(options); }),
            "up: stdout, of which it would be a line, does not go to the owner");
}

} // namespace
} // namespace penning::actors
