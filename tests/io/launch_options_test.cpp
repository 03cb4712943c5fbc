#include "refusal.hpp"
#include "subprocess.hpp"

#include <penning/io/environment.hpp>
#include <penning/io/launch_options.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace penning::io;
using penning::io::test::in_subprocess;
using penning::io::test::refusal;
namespace fs = std::filesystem;

namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

const std::string nul("a\0b", 3);

std::vector<std::string> variables(const launch_options& options) {
  const auto environment = child_environment(options);
  const auto pointers = environment.pointers();
  EXPECT_EQ(pointers.back(), nullptr);
  return {pointers.begin(), pointers.end() - 1};
}

struct LaunchOptions : testing::Test {
  fs::path folder = fs::path(testing::TempDir()) / ("penning options " + std::to_string(getpid()));

  LaunchOptions() { fs::create_directories(folder / "bin"); }
  ~LaunchOptions() override { fs::remove_all(folder); }

  std::string file(const std::string& name, mode_t mode) {
    auto path = folder / name;
    std::ofstream(path) << "#!/bin/sh\n";
    ::chmod(path.c_str(), mode);
    return path;
  }
};

TEST_F(LaunchOptions, AreAcceptedWhenTheyMakeSense) {
  EXPECT_EQ(refusal({.program = "ls", .args = {"", "="}, .cd = "/", .env = {{"A", "="}}}), "");
}

TEST_F(LaunchOptions, AreRefusedNamingTheOptionAndTheValue) {
  EXPECT_EQ(refusal({}), "program||must not be empty");
  EXPECT_EQ(refusal({.program = nul}), "program|" + nul + "|contains a NUL byte");
  EXPECT_EQ(refusal({.program = "ls", .args = {"x", nul}}), "args|" + nul + "|contains a NUL byte");
  EXPECT_EQ(refusal({.program = "ls", .arg0 = nul}), "arg0|" + nul + "|contains a NUL byte");
  EXPECT_EQ(refusal({.program = "ls", .env = {{"A=B", "1"}}}),
            "env|A=B|the name of a variable cannot contain '='");
  EXPECT_EQ(refusal({.program = "ls", .env = {{"", "1"}}}), "env||a variable needs a name");
  EXPECT_EQ(refusal({.program = "ls", .env = {{nul, "1"}}}), "env|" + nul + "|contains a NUL byte");
  EXPECT_EQ(refusal({.program = "ls", .env = {{"A", nul}}}),
            "env|A=" + nul + "|contains a NUL byte");
  EXPECT_EQ(refusal({.program = "ls", .cd = "/nosuch"}), "cd|/nosuch|No such file or directory");
  EXPECT_EQ(refusal({.program = "ls", .cd = "/bin/sh"}), "cd|/bin/sh|Not a directory");
}

TEST_F(LaunchOptions, SayInOneSentenceWhatIsWrong) {
  EXPECT_STREQ(option_error("args", nul, "contains a NUL byte").what(),
               "args \"a\\0b\": contains a NUL byte");
}

TEST_F(LaunchOptions, FindAProgramInThePathOfTheChild) {
  auto path = file("bin/tool", 0755);
  EXPECT_EQ(resolve_program({.program = "tool", .env = {{"PATH", folder / "bin"}}}), path);
  // the last change counts
  EXPECT_THROW(
    resolve_program({.program = "tool", .env = {{"PATH", folder / "bin"}, {"PATH", "/nosuch"}}}),
    option_error);
  // without any PATH there is the C library's
  EXPECT_THAT(resolve_program({.program = "sh", .env = {{"PATH", std::nullopt}}}),
              testing::EndsWith("bin/sh"));
}

TEST_F(LaunchOptions, GoOnAfterAFileThatMayNotBeExecutedAsExecvpDoes) {
  fs::create_directories(folder / "first");
  file("first/tool", 0644);
  auto path = folder.string() + "/first:" + folder.string() + "/bin";
  auto [tried, error] = find_program({.program = "tool", .env = {{"PATH", path}}});
  EXPECT_EQ(error.value(), EACCES);
  EXPECT_EQ(tried, (folder / "first/tool").string());
  auto good = file("bin/tool", 0755);
  EXPECT_EQ(resolve_program({.program = "tool", .env = {{"PATH", path}}}), good);
}

TEST_F(LaunchOptions, TakeAPathWithASlashRelativeToTheWorkingDirectory) {
  auto path = file("bin/tool", 0755);
  EXPECT_EQ(resolve_program({.program = "bin/tool", .cd = folder}), path);
  EXPECT_EQ(resolve_program({.program = path, .cd = "/"}), path);
}

TEST_F(LaunchOptions, SayWhyAProgramCannotBeExecuted) {
  EXPECT_EQ(find_program({.program = "/nosuch/x"}).second.value(), ENOENT);
  EXPECT_EQ(find_program({.program = folder / "bin"}).second.value(), EACCES);
  EXPECT_EQ(find_program({.program = file("plain", 0644)}).second.value(), EACCES);
  auto [name, error] = find_program({.program = "no-such-program"});
  EXPECT_EQ(name, "no-such-program");
  EXPECT_EQ(error.value(), ENOENT);
}

TEST_F(LaunchOptions, AreLookedAtAlsoWhereTheCallersOwnDirectoryHasVanished) {
  EXPECT_EQ(in_subprocess([this] {
              auto gone = folder / "gone";
              fs::create_directories(gone);
              fs::current_path(gone);
              fs::remove_all(gone);
              return find_program({.program = "./tool"}).second.value() == ENOENT ? 0 : 1;
            }),
            0);
}

TEST_F(LaunchOptions, ClearTheEnvironmentAndWithItThePath) {
  ::setenv("PENNING_TEST_A", "old", 1);
  EXPECT_THAT(variables({.program = "x", .env = {{"B", "1"}}, .clear_env = true}),
              ElementsAre("B=1"));
  ::unsetenv("PENNING_TEST_A");
  // the child's PATH, else the C library's; the caller's own is not asked
  auto path = file("bin/penning-tool", 0755);
  auto before = std::string(std::getenv("PATH"));
  ::setenv("PATH", (folder / "bin").c_str(), 1);
  EXPECT_EQ(resolve_program({.program = "penning-tool"}), path);
  EXPECT_THROW(resolve_program({.program = "penning-tool", .clear_env = true}), option_error);
  EXPECT_EQ(resolve_program({.program = "sh", .clear_env = true}), "/bin/sh");
  ::setenv("PATH", before.c_str(), 1);
  launch_options own{.program = "penning-tool", .env = {{"PATH", folder / "bin"}}};
  own.clear_env = true;
  EXPECT_EQ(resolve_program(own), path);
}

TEST_F(LaunchOptions, ChangeTheEnvironmentInOrder) {
  ::setenv("PENNING_TEST_A", "old", 1);
  ::setenv("PENNING_TEST_AB", "stays", 1);
  auto env = variables({.program = "x",
                        .env = {{"PENNING_TEST_A", "old"},
                                {"PENNING_TEST_C", ""},
                                {"PENNING_TEST_A", "new"},
                                {"PENNING_TEST_B", "1"},
                                {"PENNING_TEST_B", std::nullopt}}});
  EXPECT_THAT(env, Contains("PENNING_TEST_A=new").Times(1));
  EXPECT_THAT(env, Contains("PENNING_TEST_AB=stays"));
  EXPECT_THAT(env, Not(Contains("PENNING_TEST_A=old")));
  EXPECT_THAT(env, Not(Contains(testing::StartsWith("PENNING_TEST_B="))));
  ASSERT_GE(env.size(), 2u);
  EXPECT_THAT(std::vector(env.end() - 2, env.end()),
              ElementsAre("PENNING_TEST_C=", "PENNING_TEST_A=new"));
  ::unsetenv("PENNING_TEST_A");
  ::unsetenv("PENNING_TEST_AB");
}

} // namespace
