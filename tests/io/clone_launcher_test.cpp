#include "processes.hpp"
#include "subprocess.hpp"

#include <penning/io/clone_launcher.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/process/v2/environment.hpp>
#include <boost/process/v2/impl/environment.ipp> // forgotten by its header in 1.81
#include <boost/process/v2/start_dir.hpp>
#include <boost/process/v2/stdio.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <sys/wait.h>

using namespace penning::io;
using namespace penning::io::test;
namespace process = boost::process::v2;

namespace {

using strings = std::vector<std::string>;

/// stdout of what is launched, up to its end, and how it ended.
struct CloneLauncher : testing::Test {
  boost::asio::io_context io;
  clone_launcher launch;
  boost::system::error_code error;
  unique_fd output, child_output;

  CloneLauncher() {
    int fds[2];
    EXPECT_EQ(::pipe2(fds, O_CLOEXEC), 0);
    output.reset(fds[0]);
    child_output.reset(fds[1]);
    launch.next.stdio[1] = fds[1];
  }
  std::string text() {
    child_output.reset();
    std::string result;
    char buffer[4096];
    for (ssize_t n; (n = ::read(output.get(), buffer, sizeof buffer)) > 0;)
      result.append(buffer, static_cast<std::size_t>(n));
    return result;
  }
  static int reap(const launched_process& child) {
    int status = -1;
    ::waitpid(child.pid, &status, 0);
    return status;
  }
};

TEST_F(CloneLauncher, GivesPidAndPidfdOfAnotherGroup) {
  auto child = launch(io, error, "/bin/sleep", strings{"1000"});
  ASSERT_FALSE(error) << launch.failed_step();
  EXPECT_EQ(::getpgid(child.pid), child.pid);
  EXPECT_FALSE(is_dead(child.pidfd.get()));
  ::kill(child.pid, SIGKILL);
  EXPECT_TRUE(is_dead(child.pidfd.get(), 10'000));
  EXPECT_EQ(WTERMSIG(reap(child)), SIGKILL);
}

TEST_F(CloneLauncher, HonoursBoostsInitialisers) {
  auto child =
    launch(io, error, "/bin/sh", strings{"-c", "pwd; echo $A"},
           process::process_environment(strings{"A=1", "B=2"}), process::process_start_dir("/usr"));
  ASSERT_FALSE(error) << launch.failed_step();
  EXPECT_EQ(text(), "/usr\n1\n");
  EXPECT_EQ(reap(child), 0);
}

TEST_F(CloneLauncher, HonoursBoostsStdio) {
  launch.next = {};
  auto child = launch(io.get_executor(), error, "/bin/echo", strings{"hello"},
                      process::process_stdio{nullptr, child_output.get(), nullptr});
  ASSERT_FALSE(error) << launch.failed_step();
  EXPECT_EQ(text(), "hello\n");
  reap(child);
}

/// Counts its calls and fails where it is told to.
struct hooks {
  int setup = 0, success = 0, errors = 0;
  int setup_error = 0, exec_error = 0;
  static constexpr const char* step = "our hook";

  using code = boost::system::error_code;
  code on_setup(clone_launcher&, const process::filesystem::path&, const char* const*) {
    ++setup;
    return {setup_error, boost::system::system_category()};
  }
  code on_exec_setup(clone_launcher&, const process::filesystem::path&, const char* const*) {
    return {exec_error, boost::system::system_category()};
  }
  void on_success(clone_launcher&, const process::filesystem::path&, const char* const*) {
    ++success;
  }
  void on_error(clone_launcher&, const process::filesystem::path&, const char* const*,
                const code&) {
    ++errors;
  }
};

TEST_F(CloneLauncher, CallsTheHooks) {
  hooks h;
  reap(launch(io, error, "/bin/true", strings{}, h));
  EXPECT_EQ(h.setup, 1);
  EXPECT_EQ(h.success, 1);
  EXPECT_EQ(h.errors, 0);
}

TEST_F(CloneLauncher, StartsNothingWhenASetupFails) {
  hooks h{.setup_error = EPERM};
  auto child = launch(io, error, "/bin/true", strings{}, h);
  EXPECT_EQ(error.value(), EPERM);
  EXPECT_EQ(child.pid, -1);
  EXPECT_EQ(h.errors, 1);
  EXPECT_TRUE(children_named().empty());
}

TEST_F(CloneLauncher, ReportsAndReapsAChildWhoseSetupFails) {
  hooks h{.exec_error = EXDEV};
  auto child = launch(io, error, "/bin/true", strings{}, h);
  EXPECT_EQ(error.value(), EXDEV);
  EXPECT_STREQ(launch.failed_step(), "our hook");
  EXPECT_EQ(child.pid, -1);
  EXPECT_EQ(h.success, 0);
  EXPECT_EQ(h.errors, 1);
  EXPECT_TRUE(children_named().empty());
}

TEST_F(CloneLauncher, ReportsAndReapsAChildThatCannotExecute) {
  auto before = open_descriptors();
  for (int i = 0; i < 100; ++i) {
    launch(io, error, "/nosuch", strings{});
    EXPECT_EQ(error.value(), ENOENT);
    EXPECT_STREQ(launch.failed_step(), "execve");
  }
  EXPECT_THROW(launch(io, "/nosuch", strings{}), boost::system::system_error);
  EXPECT_TRUE(children_named().empty());
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(CloneLauncher, NamesTheDirectoryStep) {
  launch.next.directory = "/nosuch";
  launch(io, error, "/bin/true", strings{});
  EXPECT_EQ(error.value(), ENOENT);
  EXPECT_STREQ(launch.failed_step(), "chdir");
}

TEST_F(CloneLauncher, StartsFromTheDefaultsEachTime) {
  launch.next.directory = "/nosuch";
  launch(io, error, "/bin/true", strings{});
  auto child = launch(io, error, "/bin/true", strings{});
  EXPECT_FALSE(error) << launch.failed_step();
  EXPECT_EQ(reap(child), 0);
}

TEST_F(CloneLauncher, BindsDescriptorsThatAreThemselvesBelowThree) {
  // given a process whose 0, 1 and 2 are the ends of pipes in the wrong places
  EXPECT_EQ(
    in_subprocess([this] {
      int in[2] = {-1, -1}, keep = ::fcntl(child_output.get(), F_DUPFD_CLOEXEC, 50);
      (void)!::pipe2(in, O_CLOEXEC);
      (void)!::write(in[1], "through\n", 8);
      ::dup2(keep, 0);  // what shall be stdout
      ::dup2(keep, 1);  // what shall be stderr
      ::dup2(in[0], 2); // what shall be stdin
      launch.next.stdio = {2, 0, 1};
      // when a program copies stdin to stdout and to stderr
      auto child = launch(io, error, "/bin/sh", strings{"-c", "read a; echo $a; echo e >&2"});
      return error ? 1 : WEXITSTATUS(reap(child));
    }),
    0);
  // then each comes out where it should
  EXPECT_EQ(text(), "through\ne\n");
}

TEST_F(CloneLauncher, KeepsOnlyWhatIsWhitelisted) {
  for (int fd : {100, 101, 103})
    ::dup2(0, fd);
  launch.fd_whitelist.insert(launch.fd_whitelist.end(), {103, 100});
  auto child = launch(io, error, PENNING_TEST_PROGRAMS "/print_fds", strings{});
  EXPECT_EQ(text(), "0\n1\n2\n100\n103\n");
  reap(child);
  for (int fd : {100, 101, 103})
    ::close(fd);
}

TEST_F(CloneLauncher, ResetsDispositionsAndMask) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGTERM, SIG_IGN);
  sigset_t set, before;
  sigfillset(&set);
  ::pthread_sigmask(SIG_BLOCK, &set, &before);
  auto child = launch(io, error, PENNING_TEST_PROGRAMS "/print_signals", strings{});
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  EXPECT_EQ(text(), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  reap(child);
}

TEST_F(CloneLauncher, LetsNoChildOutliveItsParent) {
  int report[2];
  ASSERT_EQ(::pipe(report), 0);
  EXPECT_EQ(in_subprocess([&] {
              auto child = launch(io, error, "/bin/sleep", strings{"1000"});
              (void)!::write(report[1], &child.pid, sizeof child.pid);
              held_process(child.pid); // it is there
              ::raise(SIGKILL);
              return 0;
            }),
            -SIGKILL);
  pid_t pid = 0;
  ASSERT_EQ(::read(report[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  ::close(report[0]);
  ::close(report[1]);
  EXPECT_TRUE(held_process(pid).dies_within(std::chrono::seconds(10)));
}

} // namespace
