#include "recorder.hpp"
#include "subprocess.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <future>

using namespace penning::io;
using namespace penning::io::test;

namespace {

/// How often this thread has given up a processor to wait, see proc(5).
long waits_of_this_thread() {
  std::ifstream status("/proc/thread-self/status");
  std::string word;
  long count = -1;
  while (status >> word)
    if (word == "voluntary_ctxt_switches:")
      status >> count;
  return count;
}

/// One child after the other, each started on the context's thread, until `left` is 0.
void run_one_by_one(context& host, int left, std::promise<void>& done) {
  if (left == 0)
    return done.set_value();
  auto child = std::make_shared<recorder>();
  child->at_end = [&host, left, &done] { run_one_by_one(host, left - 1, done); };
  host.start({.program = program("exit_with"), .args = {"0"}}, child);
}

TEST(ChildSignals, WakeNoThreadOfAHostThatDoesNotWaitForThem) {
  constexpr int children = 300;
  context host;
  std::promise<void> done;
  const auto before = waits_of_this_thread();
  run_one_by_one(host, children, done);
  done.get_future().wait();
  // a child may end before its parent has left the system call that made it, with all blocked
  EXPECT_LT(waits_of_this_thread() - before, children / 2);
}

// Whoever waits for a signal has it blocked in all threads: one of ours that did not would take it.
TEST(ChildSignals, OfOthersAreLeftToAHostThatWaitsForThem) {
  EXPECT_EQ(in_subprocess([] {
              sigset_t set;
              sigemptyset(&set);
              sigaddset(&set, SIGCHLD);
              ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
              context host;
              finished(host, {.program = program("exit_with"), .args = {"0"}});
              const timespec none{};
              ::sigtimedwait(&set, nullptr, &none); // of that one
              const pid_t own = ::fork();
              if (own == 0)
                ::_exit(0);
              siginfo_t info{};
              ::waitid(P_PID, own, &info, WEXITED | WNOWAIT);
              finished(host, {.program = program("exit_with"), .args = {"0"}}); // by each thread
              return ::sigtimedwait(&set, &info, &none) == SIGCHLD && info.si_pid == own ? 0 : 1;
            }),
            0);
}

} // namespace
