#include "cgroups.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <csignal>
#include <thread>

using namespace penning::io;
using namespace penning::io::test;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

using CgroupFailure = Cgroup;

// -- what goes wrong ------------------------------------------------------------------------------

TEST_F(CgroupFailure, IsRefusedBeforeTheStartNamingTheController) {
  EXPECT_THAT(refusal({.controllers = {"nonsense"}}),
              HasSubstr("cgroup_controllers \"nonsense\": "));
  EXPECT_EQ(host->children(), 0U);
}

TEST_F(CgroupFailure, IsRefusedBeforeTheStartNamingThePathThatExists) {
  const auto directory = root_of("pids") + "/" + my_name;
  ASSERT_EQ(::mkdir(directory.c_str(), 0755), 0);
  EXPECT_EQ(refusal({.path = my_name, .pids = 1}),
            "cgroup_path \"" + my_name + "\": " + directory + " exists already");
  EXPECT_TRUE(fs::exists(directory)) << "it is not ours";
  EXPECT_EQ(host->children(), 0U);
}

TEST_F(CgroupFailure, NamesTheFileAndTheValueThatTheKernelRefuses) {
  const auto directory = root_of("pids") + "/" + path;
  auto child =
    start(with({.path = path, .sets = {{"pids", "pids.max", "x"}}, .pids = 1}, "/bin/true", {}));
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().failure->first, std::errc::invalid_argument);
  EXPECT_EQ(child->look().failure->second, "write " + directory + "/pids.max x");
  EXPECT_FALSE(fs::exists(directory));
  child =
    start(with({.path = path, .sets = {{"pids", "nosuch", "x"}}, .pids = 1}, "/bin/true", {}));
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().failure->second, "write " + directory + "/nosuch x");
  EXPECT_FALSE(fs::exists(directory));
}

TEST_F(CgroupFailure, IsRemovedWhenTheProgramCannotBeExecuted) {
  auto child = start(with({.path = path, .pids = 1}, "/nosuch", {}));
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().failure->second, "execve /nosuch");
  EXPECT_FALSE(fs::exists(root_of("pids") + "/" + path));
}

TEST_F(CgroupFailure, ThatNobodyCanEnterIsNamed) {
  if (root_of("cpuset").empty())
    GTEST_SKIP() << "the controller cpuset is not mounted under v1";
  // without processors and memory, see cpuset(7)
  auto child = start(with({.controllers = {"cpuset"}, .path = path}, "/bin/true", {}));
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().failure->first, std::errc::no_space_on_device);
  EXPECT_EQ(child->look().failure->second, "enter cgroup " + root_of("cpuset") + "/" + path);
  EXPECT_FALSE(fs::exists(root_of("cpuset") + "/" + path));
}

TEST_F(CgroupFailure, ThatVanishesBeforeTheStartIsNamed) {
  const auto directory = root_of("pids") + "/" + path;
  for (int round = 0; round < 30; ++round) {
    std::atomic<bool> over = false;
    std::thread remover([&] {
      while (!over && ::rmdir(directory.c_str()) != 0)
        ;
    });
    auto child = start(with({.path = path, .pids = 5}, "/bin/true", {}));
    EXPECT_TRUE(child->wait_end());
    over = true;
    remover.join();
    if (auto failure = child->look().failure) { // or the child was faster
      EXPECT_THAT(failure->second, HasSubstr(directory));
    }
    ASSERT_FALSE(fs::exists(directory));
  }
}

TEST_F(CgroupFailure, MayVanishWhileTheChildLives) {
  auto child = ready({.path = path, .pids = 20});
  const auto directory = root_of("pids") + "/" + path;
  std::ofstream(root_of("pids") + "/cgroup.procs") << child->look().handle->pid();
  ASSERT_EQ(::rmdir(directory.c_str()), 0);
  EXPECT_EQ(statistics_of(child).pids, std::nullopt);
  end(child);
  EXPECT_EQ(child->look().end->status, exit_status{});
}

TEST_F(CgroupFailure, IsRemovedWithWhatTheChildMadeBelowIt) {
  const auto directory = root_of("pids") + "/" + path;
  auto child = start(with({.path = path, .pids = 20}, "/bin/sh",
                          {"-c", "mkdir " + directory + "/below; echo $$ > " + directory
                                   + "/below/cgroup.procs; echo ready; sleep 1000"}));
  ASSERT_TRUE(child->wait_text("ready\n"));
  child->look().handle->signal(SIGKILL, signal_target::leader);
  ASSERT_TRUE(child->wait_end());
  EXPECT_FALSE(fs::exists(directory));
}

// -- the end of the runtime -----------------------------------------------------------------------

TEST_F(CgroupFailure, GoesWithTheContext) {
  auto child = ready({.path = path, .memory = 64'000'000, .pids = 20});
  host.reset();
  EXPECT_FALSE(fs::exists(root_of("pids") + "/" + path));
  EXPECT_FALSE(fs::exists(root_of("memory") + "/" + path));
}

TEST_F(CgroupFailure, GoesWithARuntimeThatIsKilled) {
  host = std::make_unique<context>(context_options{containment_choice::process_group});
  const auto mark = "PENNING_TEST_FAMILY=" + my_name;
  for (const std::string& place : {path, std::string()}) {
    launch_options options{
      .program = PENNING_TEST_RUNTIME,
      .args = {"-v2", "-pids", "40", program("family"), "deaf", "setsid", "bomb+setsid"},
      .env = {{"PENNING_TEST_FAMILY", my_name}}};
    if (!place.empty())
      options.args.insert(options.args.begin(), {"-path", place});
    auto runtime = start(options);
    ASSERT_TRUE(runtime->wait_text("ready\n"));
    const auto pid = runtime->look().handle->pid();
    ::kill(pid, SIGKILL);
    ASSERT_TRUE(runtime->wait_end());
    auto there = [&] {
      return fs::exists(root_of("pids") + "/" + path) || !left_of_runtime(pid).empty();
    };
    for (auto until = std::chrono::steady_clock::now() + deadline;
         there() && std::chrono::steady_clock::now() < until;)
      ;
    EXPECT_FALSE(there());
    EXPECT_THAT(living_with(mark), IsEmpty());
  }
}

} // namespace
