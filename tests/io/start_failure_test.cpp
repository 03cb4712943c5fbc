#include "processes.hpp"
#include "recorder.hpp"
#include "subprocess.hpp"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace penning::io;
using namespace penning::io::test;
namespace fs = std::filesystem;

namespace {

struct StartFailure : testing::Test {
  fs::path folder = fs::path(testing::TempDir()) / ("penning start " + std::to_string(getpid()));

  StartFailure() { fs::create_directories(folder); }
  ~StartFailure() override { fs::remove_all(folder); }

  std::string file(const std::string& content, mode_t mode) {
    auto path = folder / "program";
    std::ofstream(path) << content;
    ::chmod(path.c_str(), mode);
    return path;
  }

  /// errno and what was said.
  static std::pair<int, std::string> failure(launch_options options) {
    context host;
    auto child = std::make_shared<recorder>();
    host.start(std::move(options), child);
    EXPECT_TRUE(child->wait_end());
    auto seen = child->look();
    EXPECT_EQ(seen.calls, std::vector<std::string>{"start_failed"});
    EXPECT_EQ(host.children(), 0U);
    EXPECT_TRUE(only_guardians_left());
    if (!seen.failure)
      return {0, "started"};
    return {seen.failure->first.value(), seen.failure->second};
  }
  using answer = std::pair<int, std::string>;
};

TEST_F(StartFailure, OfAProgramThatIsMissing) {
  EXPECT_EQ(failure({.program = "/nosuch"}), answer(ENOENT, "execve /nosuch"));
  EXPECT_EQ(failure({.program = "no-such-program"}),
            answer(ENOENT, "find no-such-program in PATH"));
}

TEST_F(StartFailure, OfAProgramWithoutTheExecuteBit) {
  auto path = file("#!/bin/sh\n", 0644);
  EXPECT_EQ(failure({.program = path}), answer(EACCES, "execve " + path));
}

TEST_F(StartFailure, OfADirectory) {
  EXPECT_EQ(failure({.program = folder}), answer(EACCES, "execve " + folder.string()));
}

TEST_F(StartFailure, OfAScriptWithoutItsInterpreter) {
  auto path = file("#!/nosuch/sh\n", 0755);
  EXPECT_EQ(failure({.program = path}), answer(ENOENT, "execve " + path + " (its interpreter)"));
}

TEST_F(StartFailure, OfAFileThatIsNoProgram) {
  auto path = file("echo hello\n", 0755); // execve(2) does not guess a shell, as execvp(3) does
  EXPECT_EQ(failure({.program = path}), answer(ENOEXEC, "execve " + path));
}

TEST_F(StartFailure, OfArgumentsThatAreTooLong) {
  EXPECT_EQ(failure({.program = "/bin/true", .args = {std::string(4 * 1024 * 1024, 'x')}}),
            answer(E2BIG, "execve /bin/true"));
}

TEST_F(StartFailure, OfAWorkingDirectoryThatIsMissing) {
  context host;
  EXPECT_THROW(host.start({.program = "ls", .cd = "/nosuch"}, std::make_shared<recorder>()),
               option_error);
  EXPECT_EQ(host.children(), 0U);
}

TEST_F(StartFailure, OfAWorkingDirectoryThatVanishes) {
  context host;
  std::promise<void> removed;
  boost::asio::post(host.asio(), [&] { removed.get_future().wait(); });
  auto child = std::make_shared<recorder>();
  host.start({.program = "/bin/true", .cd = folder}, child);
  fs::remove_all(folder);
  removed.set_value();
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().failure->first.value(), ENOENT);
  EXPECT_EQ(child->look().failure->second, "chdir " + folder.string());
}

TEST_F(StartFailure, InAProcessThatIgnoresItsChildren) {
  auto before = std::signal(SIGCHLD, SIG_IGN);
  auto [error, what] = failure({.program = "/bin/true"});
  std::signal(SIGCHLD, before);
  EXPECT_EQ(error, ECHILD);
  EXPECT_EQ(what, "start: this process ignores SIGCHLD");
}

TEST_F(StartFailure, WithoutDescriptorsCostsNoOtherChildAnything) {
  EXPECT_EQ(in_subprocess([] {
              context host;
              auto cat = started(host, "/bin/cat");
              rlimit limit{open_descriptors() + 40, open_descriptors() + 40};
              ::setrlimit(RLIMIT_NOFILE, &limit);
              // when there are more children than descriptors
              std::vector<std::shared_ptr<recorder>> children;
              do
                children.push_back(started(host, "stubborn_family"));
              while (!children.back()->look().failure && children.size() < 100);
              auto failure = children.back()->look().failure;
              if (!failure || failure->first.value() != EMFILE)
                return 1;
              // then those that run are served
              cat->look().handle->write(bytes("still here\n"));
              if (!cat->wait_text("still here\n"))
                return 2;
              // and end, groups and all, and leave their descriptors to the next
              children.pop_back();
              for (auto& child : children)
                child->look().handle->signal(SIGKILL, signal_target::leader);
              for (auto& child : children)
                if (!child->wait_end())
                  return 3;
              auto next = start(host, "exit_with", {"7"});
              return next->wait_end() && next->look().end->status.code == 7 ? 0 : 4;
            }),
            0);
}

TEST_F(StartFailure, WithoutProcessesCostsNoOtherChildAnything) {
  EXPECT_EQ(in_subprocess([] {
              context host{{containment_choice::process_group}}; // only root may use the other
              auto cat = started(host, "/bin/cat");
              if (::getuid() == 0 && ::setuid(65534) != 0) // root has no such limit
                return 1;
              rlimit limit{1, 1};
              ::setrlimit(RLIMIT_NPROC, &limit);
              auto child = start(host, "/bin/true");
              if (!child->wait_end() || !child->look().failure)
                return 2;
              if (child->look().failure->first.value() != EAGAIN)
                return 3;
              if (child->look().failure->second != "clone")
                return 4;
              cat->look().handle->write(bytes("still here\n"));
              if (!cat->wait_text("still here\n"))
                return 5;
              cat->look().handle->close_stdin(); // we may not kill it any more
              return cat->wait_end() ? 0 : 6;
            }),
            0);
}

} // namespace
