#include "processes.hpp"
#include "recorder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/post.hpp>

#include <csignal>
#include <future>
#include <sys/wait.h>

using namespace penning::io;
using namespace penning::io::test;
using kind = exit_status::kind;

namespace {

struct Context : testing::Test {
  context host;

  /// Returns once everything posted before it has run on the context's thread.
  void barrier() {
    std::promise<void> done;
    boost::asio::post(host.asio(), [&] { done.set_value(); });
    done.get_future().wait();
  }
};

/// The letters that `flood` writes.
std::string letters(std::size_t count) {
  std::string result(count, '\0');
  for (std::size_t i = 0; i < count; ++i)
    result[i] = static_cast<char>('a' + i % 26);
  return result;
}

// ---- what a child is given ----

TEST_F(Context, GivesAProgramItsNameAndItsArguments) {
  auto child = std::make_shared<recorder>();
  host.start({.program = program("print_args"), .args = {"a b", "", "c"}, .arg0 = "myself"}, child);
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().out, "myself\na b\n\nc\n");
}

TEST_F(Context, FindsAProgramInThePathAndChangesDirectoryAndEnvironment) {
  auto child = std::make_shared<recorder>();
  host.start({.program = "sh", .args = {"-c", "pwd; echo $A"}, .cd = "/usr", .env = {{"A", "x"}}},
             child);
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().out, "/usr\nx\n");
}

TEST_F(Context, LetsAChildInheritNothingButItsThreeStreams) {
  for (int fd = 200; fd < 204; ++fd)
    ::dup2(0, fd); // leaked by the host, without FD_CLOEXEC
  auto child = start(host, "print_fds");
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().out, "0\n1\n2\n");
  for (int fd = 200; fd < 204; ++fd)
    ::close(fd);
}

TEST_F(Context, LeavesAChildNoSignalBlockedOrIgnored) {
  std::signal(SIGPIPE, SIG_IGN); // as the BEAM does
  auto child = start(host, "print_signals");
  ASSERT_TRUE(child->wait_end());
  std::signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(child->look().out, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(Context, PutsAChildIntoAGroupOfItsOwn) {
  auto child = started(host, "never_reads");
  auto pid = child->look().handle->pid();
  EXPECT_EQ(::getpgid(pid), pid);
}

// ---- the end ----

TEST_F(Context, TellsAllOutputAndThenTheStatus) {
  for (int round = 0; round < 20; ++round) {
    auto child = start(host, "writes_both", {"1048576", "3"}, 10 * 1024);
    ASSERT_TRUE(child->wait_end());
    auto seen = child->look();
    EXPECT_TRUE(seen.out == std::string(1048576, 'o')) << seen.out.size();
    EXPECT_TRUE(seen.err == std::string(1048576, 'e')) << seen.err.size();
    EXPECT_EQ(seen.end->status, (exit_status{kind::status, 3, false}));
    EXPECT_EQ(seen.calls.back(), "end");
  }
}

TEST_F(Context, ReadsWhatAPipeHoldsPastTheSmallestWindow) {
  for (int round = 0; round < 100; ++round) {
    auto child = start(host, "writes_both", {"65536", "3"}, 16);
    ASSERT_TRUE(child->wait_end());
    auto seen = child->look();
    EXPECT_TRUE(seen.out == std::string(65536, 'o')) << seen.out.size();
    EXPECT_TRUE(seen.err == std::string(65536, 'e')) << seen.err.size();
    EXPECT_EQ(seen.end->status.code, 3);
  }
}

TEST_F(Context, TellsAnOutputThatNobodyEverGranted) {
  auto child = start(host, "flood", {"65536"}, 0);
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().out, letters(65536));
}

TEST_F(Context, ReadsAllOfAPipeThatTheChildHasMadeLarger) {
  auto child = start(host, "widens_pipe", {"1048576"}, 0);
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().out.size(), 1048576U);
  EXPECT_EQ(child->look().end->status, exit_status{});
}

TEST_F(Context, ReadsNoMoreThanAPipeHoldsFromOneThatEscapedAndWritesWithoutEnd) {
  auto child = std::make_shared<recorder>(100);
  child->gives_back = false;
  host.start({.program = program("leaves_flooder")}, child);
  ASSERT_TRUE(child->wait([](auto& x) { return x.out.size() >= 100; }));
  child->look().handle->grant(output::err, 100);
  child->look().handle->close_stdin();
  ASSERT_TRUE(child->wait_end());
  EXPECT_LE(child->look().out.size(), 100U + 65536);
  // and it has nobody to write to any more
  for (auto& flooder : hold(child->look().err))
    EXPECT_TRUE(flooder.dies_within(deadline));
}

TEST_F(Context, TellsStatus137FromSignal9) {
  auto status = start(host, "exit_with", {"137"}), signal = start(host, "dies_by", {"9"});
  ASSERT_TRUE(status->wait_end() && signal->wait_end());
  EXPECT_EQ(status->look().end->status, (exit_status{kind::status, 137, false}));
  EXPECT_EQ(signal->look().end->status, (exit_status{kind::signal, 9, false}));
}

TEST_F(Context, TellsWhatAChildHasUsed) {
  auto child = start(host, "/bin/sh", {"-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"});
  ASSERT_TRUE(child->wait_end());
  auto end = *child->look().end;
  EXPECT_GT(end.pid, 0);
  EXPECT_GT((end.usage.user + end.usage.system).count(), 0);
  EXPECT_GT(end.usage.max_rss_kib, 0);
}

TEST_F(Context, KillsWhatALeaderLeavesBehindAndWaitsUntilItIsGone) {
  for (int round = 0; round < 50; ++round) {
    auto child = std::make_shared<recorder>();
    bool survivor = true;
    child->at_end = [&] { survivor = held_process(std::stoi(child->look().out)).alive(); };
    host.start({.program = program("holds_stdout")}, child);
    ASSERT_TRUE(child->wait_end());
    EXPECT_EQ(child->look().end->status, (exit_status{kind::status, 0, false}));
    EXPECT_FALSE(survivor);
  }
}

TEST_F(Context, KillsAWholeFamilyThatIsDeafToSigterm) {
  auto child = started(host, "stubborn_family");
  ASSERT_TRUE(child->wait_text("\n"));
  auto family = hold(child->look().out);
  ASSERT_EQ(family.size(), 3U);
  bool survivor = true;
  child->at_end = [&] {
    survivor = std::any_of(family.begin(), family.end(), [](auto& x) { return x.alive(); });
  };
  child->look().handle->signal(SIGTERM, signal_target::group);
  child->look().handle->signal(SIGKILL, signal_target::leader);
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().end->status, (exit_status{kind::signal, SIGKILL, false}));
  EXPECT_FALSE(survivor);
}

TEST_F(Context, SignalsTheLeaderAlone) {
  auto child = started(host, "stubborn_family");
  ASSERT_TRUE(child->wait_text("\n"));
  auto family = hold(child->look().out);
  child->look().handle->signal(SIGSTOP, signal_target::leader);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(family[0].pid()), &info, WSTOPPED | WNOWAIT), 0);
  EXPECT_NE(state_of(family[1].pid()), 'T');
}

TEST_F(Context, SignalsTheWholeGroup) {
  auto child = started(host, "stubborn_family");
  ASSERT_TRUE(child->wait_text("\n"));
  auto family = hold(child->look().out);
  child->look().handle->signal(SIGUSR1, signal_target::group); // nobody there is deaf to it
  for (auto& process : family)
    EXPECT_TRUE(process.dies_within(deadline));
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().end->status, (exit_status{kind::signal, SIGUSR1, false}));
}

TEST_F(Context, KillsAChildThatIsStopped) {
  auto child = started(host, "never_reads");
  auto handle = child->look().handle;
  handle->signal(SIGSTOP, signal_target::leader);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(handle->pid()), &info, WSTOPPED | WNOWAIT), 0);
  handle->signal(SIGKILL, signal_target::leader);
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().end->status.code, SIGKILL);
}

TEST_F(Context, IgnoresCallsAfterTheEnd) {
  auto child = started(host, "never_reads");
  auto handle = child->look().handle;
  handle->signal(SIGKILL, signal_target::leader);
  ASSERT_TRUE(child->wait_end());
  handle->signal(SIGKILL, signal_target::group);
  handle->write(bytes("x"));
  handle->close_stdin();
  handle->grant(output::out, 1);
  barrier();
  EXPECT_EQ(child->look().calls.back(), "end");
}

TEST_F(Context, KillsAChildWhoseHandleIsDropped) {
  struct : child_observer {
    std::promise<child_end> end;
    void on_started(std::shared_ptr<child>) override {} // and gone
    void on_start_failed(std::error_code, std::string) override {}
    void on_output(output, std::vector<char>) override {}
    void on_output_closed(output) override {}
    void on_written(std::size_t) override {}
    void on_stdin_closed(std::error_code) override {}
    void on_end(const child_end& x) override { end.set_value(x); }
  } forgetful;
  host.start({.program = program("ignores_sigterm")},
             std::shared_ptr<child_observer>(&forgetful, [](auto*) {}));
  auto end = forgetful.end.get_future();
  ASSERT_EQ(end.wait_for(deadline), std::future_status::ready);
  EXPECT_EQ(end.get().status, (exit_status{kind::signal, SIGKILL, false}));
}

TEST_F(Context, SaysSoWhenSomebodyElseHasReapedItsChild) {
  auto child = started(host, "never_reads");
  auto pid = child->look().handle->pid();
  std::promise<void> reaped;
  boost::asio::post(host.asio(), [&] { reaped.get_future().wait(); }); // so it comes too late
  ::kill(pid, SIGTERM);
  EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
  reaped.set_value();
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().end->status, (exit_status{kind::signal, 0, false}));
}

TEST_F(Context, KillsEverythingWhenItIsDestroyed) {
  auto own = std::make_unique<context>();
  std::vector<std::shared_ptr<recorder>> children;
  std::vector<held_process> processes;
  for (int i = 0; i < 5; ++i)
    children.push_back(started(*own, "stubborn_family"));
  for (auto& child : children) {
    ASSERT_TRUE(child->wait_text("\n"));
    for (auto& process : hold(child->look().out))
      processes.push_back(std::move(process));
  }
  own.reset();
  for (auto& child : children)
    EXPECT_EQ(child->look().calls.back(), "end");
  for (auto& process : processes)
    EXPECT_FALSE(process.alive());
  EXPECT_TRUE(children_named().empty());
}

TEST_F(Context, CountsItsChildren) {
  EXPECT_EQ(host.children(), 0U);
  auto child = start(host, "never_reads");
  EXPECT_EQ(host.children(), 1U);
  ASSERT_TRUE(child->wait_started());
  child->look().handle->signal(SIGKILL, signal_target::leader);
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(host.children(), 0U);
}

TEST_F(Context, LeavesNoDescriptorAndNoZombieOfTwoThousandChildren) {
  live_at_once(host, 8);
  barrier();
  auto descriptors = open_descriptors();
  for (int round = 0; round < 250; ++round) {
    std::vector<std::shared_ptr<recorder>> batch;
    for (int i = 0; i < 8; ++i)
      batch.push_back(start(host, "exit_with", {std::to_string(i)}));
    for (int i = 0; i < 8; ++i) {
      ASSERT_TRUE(batch[i]->wait_end());
      ASSERT_FALSE(batch[i]->look().failure) << batch[i]->look().failure->second;
      EXPECT_EQ(batch[i]->look().end->status.code, i);
    }
  }
  barrier();
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_TRUE(only_guardians_left());
}

// ---- output and its window ----

TEST_F(Context, ReadsNoByteMoreThanItsWindow) {
  auto child = std::make_shared<recorder>(10'000);
  child->gives_back = false;
  host.start({.program = program("flood"), .args = {"1000000"}}, child);
  ASSERT_TRUE(child->wait([](auto& x) { return x.out.size() >= 10'000; }));
  for (int i = 0; i < 100; ++i)
    barrier();
  EXPECT_EQ(child->look().out.size(), 10'000U);
  child->look().handle->grant(output::out, 5);
  ASSERT_TRUE(child->wait([](auto& x) { return x.out.size() >= 10'005; }));
  barrier();
  EXPECT_EQ(child->look().out.size(), 10'005U);
  // at the end only what the pipe holds goes past the window
  child->look().handle->signal(SIGKILL, signal_target::leader);
  ASSERT_TRUE(child->wait_end());
  auto seen = child->look();
  EXPECT_LE(seen.out.size(), 10'005U + 65536);
  EXPECT_EQ(seen.out, letters(seen.out.size()));
}

TEST_F(Context, KeepsTheWindowsOfTheStreamsApart) {
  auto child = std::make_shared<recorder>(0);
  child->gives_back = false;
  host.start({.program = program("writes_both"), .args = {"300000", "0"}}, child);
  ASSERT_TRUE(child->wait_started());
  child->look().handle->grant(output::err, 1000);
  ASSERT_TRUE(child->wait([](auto& x) { return x.err.size() >= 1000; }));
  barrier();
  EXPECT_EQ(child->look().err.size(), 1000U);
  EXPECT_EQ(child->look().out.size(), 0U);
}

TEST_F(Context, TellsOfAnOutputThatAChildClosesWhileItLives) {
  auto child = started(host, "closes", {"1"});
  ASSERT_TRUE(child->wait([](auto& x) { return x.out_closed && !x.err.empty(); }));
  EXPECT_FALSE(child->look().end);
  EXPECT_FALSE(child->look().err_closed);
}

// ---- stdin ----

TEST_F(Context, WritesStdinAndEndsItAlone) {
  auto child = started(host, "/usr/bin/wc", {"-c"});
  auto handle = child->look().handle;
  for (int i = 0; i < 100; ++i)
    handle->write(std::vector<char>(10'000, 'x'));
  handle->close_stdin();
  handle->write(bytes("too late"));
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().out, "1000000\n");
  EXPECT_EQ(child->look().written, 1'000'000U);
  EXPECT_EQ(child->look().end->status, exit_status{});
}

TEST_F(Context, LetsAChildThatNeverReadsStallNobodyElse) {
  auto stuck = started(host, "never_reads"), other = started(host, "/bin/cat");
  for (int i = 0; i < 100; ++i)
    stuck->look().handle->write(std::vector<char>(1024 * 1024, 'x'));
  for (int i = 0; i < 100; ++i) {
    auto line = "line " + std::to_string(i) + "\n";
    other->look().handle->write(bytes(line));
    ASSERT_TRUE(other->wait_text(line));
  }
  EXPECT_EQ(stuck->look().written, 65536U); // what its pipe holds
  stuck->look().handle->signal(SIGTERM, signal_target::leader);
  ASSERT_TRUE(stuck->wait_end());
  EXPECT_EQ(stuck->look().end->status.code, SIGTERM);
}

TEST_F(Context, TellsWhenNobodyReadsStdinAnyMore) {
  auto child = started(host, "closes", {"0"});
  ASSERT_TRUE(child->wait_text("closed\n"));
  child->look().handle->write(bytes("x"));
  ASSERT_TRUE(child->wait([](auto& x) { return x.stdin_closed.has_value(); }));
  EXPECT_EQ(*child->look().stdin_closed, std::errc::broken_pipe);
  EXPECT_FALSE(child->look().end);
}

} // namespace
