#include <penning/io/cgroup_statistics.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <unistd.h>

using namespace penning::io;
using namespace std::chrono_literals;

namespace {

/// A directory with files as the kernel has them.
struct CgroupStatistics : testing::Test {
  std::string folder = testing::TempDir() + "penning_statistics_" + std::to_string(::getpid());

  CgroupStatistics() { std::filesystem::create_directories(folder); }
  ~CgroupStatistics() override { std::filesystem::remove_all(folder); }

  void file(const std::string& name, const std::string& text) const {
    std::ofstream(folder + "/" + name) << text;
  }
};

TEST_F(CgroupStatistics, OfV2) {
  file("memory.current", "4096\n");
  file("memory.peak", "8192\n");
  file("memory.events", "low 0\nhigh 0\nmax 7\noom 2\noom_kill 1\noom_group_kill 0\n");
  file("cpu.stat", "usage_usec 30\nuser_usec 10\nsystem_usec 20\nnr_periods 0\n");
  file("pids.current", "3\n");
  EXPECT_EQ(read_statistics(folder), (cgroup_statistics{4096, 8192, 10us, 20us, 3, 1}));
  EXPECT_EQ(read_oom_kills(folder), 1U);
}

TEST_F(CgroupStatistics, OfV1) {
  file("memory.usage_in_bytes", "4096\n");
  file("memory.max_usage_in_bytes", "8192\n");
  file("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n");
  file("cpu.stat", "nr_periods 1\nnr_throttled 1\n"); // of the controller cpu
  file("cpuacct.usage_user", "10999\n");
  file("cpuacct.usage_sys", "20999\n");
  file("pids.current", "3\n");
  EXPECT_EQ(read_statistics(folder), (cgroup_statistics{4096, 8192, 10us, 20us, 3, 5}));
}

TEST_F(CgroupStatistics, AreNothingWhereThereIsNothing) {
  EXPECT_EQ(read_statistics(folder), cgroup_statistics{});
  EXPECT_EQ(read_statistics(folder + "/nosuch"), cgroup_statistics{});
  EXPECT_EQ(read_oom_kills(folder + "/nosuch"), std::nullopt);
}

TEST_F(CgroupStatistics, LeaveOutWhatAnotherHasUsedBefore) {
  const cgroup_statistics now{4096, 8192, 10us, 20us, 3, 1};
  EXPECT_EQ(since(processor_time{4us, 5us}, now),
            (cgroup_statistics{4096, std::nullopt, 6us, 15us, 3, std::nullopt}));
  EXPECT_EQ(since(std::nullopt, now), (cgroup_statistics{.memory = 4096, .pids = 3}));
}

TEST_F(CgroupStatistics, OfTwoDirectoriesCompleteEachOther) {
  EXPECT_EQ(either({.memory = 1}, {.memory = 2, .pids = 3}),
            (cgroup_statistics{.memory = 1, .pids = 3}));
}

TEST_F(CgroupStatistics, FindAWholeKeyOnly) {
  EXPECT_EQ(number_of("oom 2\noom_kill 1", "oom_kill"), 1U);
  EXPECT_EQ(number_of("oom_kill 1\noom 2\n", "oom"), 2U);
  EXPECT_EQ(number_of("oom_kill x\n", "oom_kill"), std::nullopt);
  EXPECT_EQ(number_of("", "oom"), std::nullopt);
}

} // namespace
