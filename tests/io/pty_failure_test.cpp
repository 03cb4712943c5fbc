#include "processes.hpp"
#include "subprocess.hpp"
#include "terminal.hpp"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>

#include <fcntl.h>
#include <future>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

using namespace penning::io;
using namespace penning::io::test;

namespace {

/// What `validate` says, as "option|value|problem".
std::string refusal(const launch_options& options) {
  try {
    validate(options);
    return "";
  } catch (const option_error& e) {
    return e.option() + "|" + e.value() + "|" + e.problem();
  }
}

TEST(PtyFailure, OfAModeIsToldBeforeAnythingHasStarted) {
  EXPECT_EQ(refusal({.program = "ls", .pty = raw()}), "");
  EXPECT_EQ(refusal({.program = "ls", .pty = pty_options{.modes = {{"echo", 7}}}}),
            "pty|echo 7|must be 0 or 1");
}

TEST(PtyFailure, OfATerminalThatNoStreamGoesTo) {
  const std::string problem = "pty||none of stdin, stdout and stderr goes to the owner";
  launch_options options{.program = "ls", .stdin = to_null{}, .stdout = to_null{}, .pty = raw()};
  EXPECT_EQ(refusal(options), "");
  options.stderr = to_stdout{};
  EXPECT_EQ(refusal(options), problem);
  options.stderr = to_nothing{};
  EXPECT_EQ(refusal(options), problem);
  options.stdin = to_owner{};
  EXPECT_EQ(refusal(options), "");
}

TEST(PtyFailure, WithoutDescriptorsNamesTheStepAndLeavesNone) {
  EXPECT_EQ(in_subprocess([] {
              context host;
              if (!started(host, "exit_with", {"0"})->wait_end())
                return 1;
              auto before = open_descriptors();
              rlimit limit{before + 20, before + 20};
              ::setrlimit(RLIMIT_NOFILE, &limit);
              // given no descriptor left, then one, two and so on
              std::vector<unique_fd> taken;
              do
                taken.emplace_back(::dup(0));
              while (taken.back());
              taken.pop_back();
              std::vector<std::string> steps;
              for (;; taken.pop_back()) {
                auto in_use = taken.size();
                auto child = start_in(host, {}, "true");
                if (!child->wait_end())
                  return 2;
                auto seen = child->look();
                if (seen.end)
                  break;
                if (seen.failure->first.value() != EMFILE || in_use == 0)
                  return 3;
                steps.push_back(seen.failure->second);
              }
              // then each step failed in turn
              std::vector<std::string> expected{"open /dev/ptmx", "ioctl(TIOCGPTPEER)",
                                                "fcntl(F_DUPFD_CLOEXEC)", "fcntl(F_DUPFD_CLOEXEC)"};
              if (steps.size() < 4 || !std::equal(expected.begin(), expected.end(), steps.begin()))
                return 4;
              return 0;
            }),
            0);
}

TEST(PtyFailure, OfASystemThatHasNoTerminalLeft) {
  int result = in_subprocess([] {
    // given a mount namespace whose /dev/pts has room for one
    if (::unshare(CLONE_NEWNS) != 0
        || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0
        || ::mount("devpts", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666,max=1") != 0)
      return 77;
    context host;
    auto first = start_in(host, {}, program("never_reads"));
    if (!first->wait_text("ready"))
      return 1;
    auto second = start_in(host, {}, program("never_reads"));
    if (!second->wait_end() || !second->look().failure)
      return 2;
    auto [error, what] = *second->look().failure;
    if (error.value() != ENOSPC || what != "open /dev/ptmx")
      return 3;
    // and room again once the one is gone
    first->look().handle->signal(SIGKILL, signal_target::leader);
    if (!first->wait_end())
      return 4;
    auto third = start_in(host, {}, program("never_reads"));
    return third->wait_text("ready") ? 0 : 5;
  });
  if (result == 77)
    GTEST_SKIP() << "needs the right to mount";
  EXPECT_EQ(result, 0);
}

TEST(PtyFailure, OfAProgramThatIsMissingLeavesNoDescriptor) {
  context host;
  started(host, "exit_with", {"0"})->wait_end();
  auto before = open_descriptors();
  auto child = start_in(host, {}, "/nosuch");
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().failure->second, "execve /nosuch");
  std::promise<void> done; // with the launch that has told this
  boost::asio::post(host.asio(), [&] { done.set_value(); });
  done.get_future().wait();
  EXPECT_EQ(open_descriptors(), before);
}

TEST(PtyFailure, DoesNotBefallAHostThatHasNoTerminal) {
  EXPECT_EQ(in_subprocess([] {
              ::setsid();
              context host;
              auto child = start_in(host, {}, program("never_reads"));
              if (!child->wait_text("ready"))
                return 1;
              // whose terminal it must not become
              return ::open("/dev/tty", O_RDWR | O_CLOEXEC) < 0 && errno == ENXIO ? 0 : 2;
            }),
            0);
}

} // namespace
