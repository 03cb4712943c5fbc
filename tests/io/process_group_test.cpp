#include <penning/io/process_group.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

using namespace penning::io;

namespace {

TEST(ProcessStat, IsReadBehindAnyName) {
  const std::string numbers = " S 1 4711 4711 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 9 10\n";
  for (std::string name : {"sh", "a b", ") S 1 99", "((", "x)y"}) {
    auto stat = parse_stat("4712 (" + name + ")" + numbers);
    ASSERT_TRUE(stat) << name;
    EXPECT_EQ(stat->group, 4711) << name;
    EXPECT_EQ(stat->start, 987654U) << name;
  }
}

TEST(ProcessStat, IsNothingForAnotherLine) {
  for (std::string line : {"", "1", "1 (sh", "1 (sh)", "1 (sh) S 1 2", "1 (sh) S 1 x 3 4 5 6 7 8"})
    EXPECT_FALSE(parse_stat(line)) << line;
}

/// A group of a leader that is dead and reaped, and a member.
struct ProcessGroup : testing::Test {
  pid_t leader = ::fork(), member = 0;

  ProcessGroup() {
    if (leader == 0) {
      for (;;)
        ::pause();
    }
    ::setpgid(leader, leader);
    member = ::fork();
    if (member == 0) {
      for (;;)
        ::pause();
    }
    ::setpgid(member, leader);
  }
  ~ProcessGroup() override {
    for (pid_t pid : {leader, member})
      if (pid != 0) {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
      }
  }
  void reap(pid_t& pid) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    pid = 0;
  }
  std::vector<held_member> members(pid_t id, std::uint64_t reaped) {
    std::error_code error;
    auto result = living_members(id, reaped, 64, error);
    EXPECT_FALSE(error) << error.message();
    return result;
  }
};

TEST_F(ProcessGroup, IsFoundWithoutItsLeader) {
  auto id = leader;
  reap(leader);
  auto found = members(id, ticks_since_boot());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].pid, member);
}

TEST_F(ProcessGroup, IsAnotherOneWhenAProcessHasItsNumber) {
  EXPECT_TRUE(members(leader, ticks_since_boot()).empty());
}

TEST_F(ProcessGroup, IsAnotherOneWhenItsMembersAreYoungerThanTheReaping) {
  auto id = leader;
  reap(leader);
  EXPECT_TRUE(members(id, 1).empty());
}

TEST_F(ProcessGroup, HasNoLivingMemberInAZombie) {
  auto id = leader;
  reap(leader);
  ::kill(member, SIGKILL);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(member), &info, WEXITED | WNOWAIT);
  EXPECT_TRUE(members(id, ticks_since_boot()).empty());
}

} // namespace
