#include "processes.hpp"
#include "recorder.hpp"

#include <penning/io/guardian.hpp>
#include <penning/io/guardian_image.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <sched.h>
#include <stdexcept>
#include <sys/wait.h>

using namespace penning::io;
using namespace penning::io::test;

namespace {

/// Asks until it has a guardian among the children of the process `pid`, other than `old`.
pid_t guardian_of(pid_t pid, pid_t old = 0) {
  for (auto end = std::chrono::steady_clock::now() + deadline;
       std::chrono::steady_clock::now() < end; ::sched_yield())
    for (pid_t found : children_named(guardian_comm, pid))
      if (found != old)
        return found;
  throw std::runtime_error("no guardian"); // rather than a pid of 0, to which tests send signals
}

/// A runtime in a process of its own, itself started by a context.
struct Guardian : testing::Test {
  context host;
  std::shared_ptr<recorder> runtime;
  std::vector<held_process> family;

  void run(const std::string& name) {
    runtime = started(host, PENNING_TEST_RUNTIME, {program(name)});
    ASSERT_TRUE(runtime->wait_text("\n"));
    family = hold(runtime->look().out);
    for (auto& process : family)
      ASSERT_TRUE(process.alive());
  }
  pid_t pid() { return runtime->look().handle->pid(); }

  void expect_all_gone() {
    auto by = std::chrono::steady_clock::now() + 1s;
    for (auto& process : family) {
      auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        by - std::chrono::steady_clock::now());
      EXPECT_TRUE(process.dies_within(std::max(left, 0ms)));
    }
  }
};

TEST(GuardianImage, IsTiny) {
  EXPECT_EQ(guardian_image().substr(0, 4), "\x7f"
                                           "ELF");
  EXPECT_LT(guardian_image().size(), 16U * 1024);
}

/// The guardian alone, without a context around it.
struct GuardianTable : testing::Test {
  boost::asio::io_context io;
  clone_launcher launch;
  guardian keeper{io};
  std::vector<launched_process> children;

  pid_t start_child() {
    EXPECT_FALSE(keeper.ensure()) << keeper.failed_step();
    boost::system::error_code error;
    auto registration = keeper.enter();
    children.push_back(
      launch(io, error, program("ignores_sigterm"), std::vector<std::string>{}, registration));
    EXPECT_FALSE(error) << launch.failed_step();
    keeper.registered(children.back().pid, registration);
    return children.back().pid;
  }
  ~GuardianTable() override {
    for (auto& child : children) {
      ::kill(child.pid, SIGKILL);
      ::waitpid(child.pid, nullptr, 0);
    }
  }
  bool lives(std::size_t i) { return !is_dead(children[i].pidfd.get()); }
};

TEST_F(GuardianTable, HoldsWhatWasEnteredAndNotForgotten) {
  pid_t first = start_child();
  start_child();
  start_child();
  keeper.forget(first);
  keeper.stop(); // the end of the stream: as if we were dead
  EXPECT_TRUE(lives(0));
  EXPECT_FALSE(lives(1));
  EXPECT_FALSE(lives(2));
}

TEST_F(GuardianTable, DoesNotHoldALaunchThatFailed) {
  start_child();
  keeper.forget(children[0].pid);
  boost::system::error_code error;
  launch(io, error, "/nosuch", std::vector<std::string>{}, keeper.enter());
  EXPECT_EQ(error.value(), ENOENT);
  keeper.stop();
  EXPECT_TRUE(lives(0));
}

TEST_F(GuardianTable, IsSentAnewToTheNextOne) {
  pid_t first = start_child();
  start_child();
  keeper.forget(first);
  EXPECT_FALSE(keeper.replace()) << keeper.failed_step();
  EXPECT_TRUE(lives(0) && lives(1)); // the one that was replaced killed nobody
  keeper.stop();
  EXPECT_TRUE(lives(0));
  EXPECT_FALSE(lives(1));
}

TEST_F(GuardianTable, IsTakenFromAGuardianThatCannotBeToldToForget) {
  start_child();
  held_process first(guardian_of(::getpid()));
  ::kill(first.pid(), SIGSTOP);
  for (pid_t pid = 1'000'000; first.alive(); ++pid) { // numbers that nobody has
    ASSERT_LT(pid, 1'100'000);
    keeper.forget(pid);
  }
  io.poll(); // on the context's thread by itself
  guardian_of(::getpid(), first.pid());
  keeper.stop();
  EXPECT_FALSE(lives(0));
}

TEST_F(GuardianTable, OfManyThousandsFits) {
  start_child();
  for (pid_t pid = 1'000'000; pid < 1'050'000; ++pid) { // numbers that nobody has
    keeper.registered(pid, keeper.enter());
  }
  EXPECT_FALSE(keeper.replace()) << keeper.failed_step();
  keeper.stop();
  EXPECT_FALSE(lives(0));
}

TEST_F(Guardian, ComesWithTheFirstChildAndGoesWithTheContext) {
  EXPECT_TRUE(children_named().empty());
  {
    context other;
    started(other, "exit_with", {"0"})->wait_end();
    auto guardian = guardian_of(::getpid());
    EXPECT_EQ(::getsid(guardian), guardian);
    EXPECT_EQ(children_named(), std::vector{guardian});
  }
  EXPECT_TRUE(children_named().empty());
}

TEST_F(Guardian, KillsTheGroupsOfARuntimeThatWasKilled) {
  for (int round = 0; round < 20; ++round) {
    run("stubborn_family");
    ::kill(pid(), SIGKILL);
    expect_all_gone();
    ASSERT_TRUE(runtime->wait_end());
  }
}

TEST_F(Guardian, EndsAfterThat) {
  run("stubborn_family");
  held_process guardian(guardian_of(pid()));
  ::kill(pid(), SIGKILL);
  expect_all_gone();
  EXPECT_TRUE(guardian.dies_within(deadline));
}

TEST_F(Guardian, IsDeafToSignalsThatStopARuntime) {
  run("stubborn_family");
  held_process guardian(guardian_of(pid()));
  for (int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE})
    ::kill(guardian.pid(), number);
  EXPECT_TRUE(guardian.alive());
  ::kill(pid(), SIGKILL);
  expect_all_gone();
}

TEST_F(Guardian, IsReplacedWhenItIsKilled) {
  run("stubborn_family");
  for (int round = 0; round < 3; ++round) {
    held_process first(guardian_of(pid()));
    ::kill(first.pid(), SIGKILL);
    ASSERT_TRUE(first.dies_within(deadline));
    guardian_of(pid(), first.pid());
  }
  ::kill(pid(), SIGKILL);
  expect_all_gone();
}

TEST_F(Guardian, CostsNoLaunchAnythingWhenItIsKilled) {
  auto other = started(host, "never_reads"); // so that there is something to guard
  for (int round = 0; round < 20; ++round) {
    held_process guardian(guardian_of(::getpid()));
    ::kill(guardian.pid(), SIGKILL);
    auto child = start(host, "exit_with", {"0"});
    ASSERT_TRUE(child->wait_end());
    EXPECT_FALSE(child->look().failure) << child->look().failure->second;
    EXPECT_TRUE(guardian.dies_within(deadline));
  }
}

TEST_F(Guardian, IsNotReplacedWithoutAChild) {
  started(host, "exit_with", {"0"})->wait_end();
  held_process guardian(guardian_of(::getpid()));
  ::kill(guardian.pid(), SIGKILL);
  ASSERT_TRUE(guardian.dies_within(deadline));
  auto child = start(host, "exit_with", {"0"}); // but with the next one
  ASSERT_TRUE(child->wait_end());
  EXPECT_FALSE(child->look().failure);
}

TEST_F(Guardian, IsReplacedWhenItTakesNothing) {
  context ours{{containment_choice::process_group}}; // else it is told nothing
  started(ours, "exit_with", {"0"})->wait_end();
  held_process guardian(guardian_of(::getpid()));
  ::kill(guardian.pid(), SIGSTOP);
  for (int i = 0; guardian.alive(); ++i) {
    ASSERT_LT(i, 5000);
    auto child = start(ours, "exit_with", {"0"});
    ASSERT_TRUE(child->wait_end());
    ASSERT_FALSE(child->look().failure) << child->look().failure->second;
  }
}

} // namespace
