#include "real_os_process.hpp"
#include "support/listener.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/stat.h>
#include <utility>
#include <vector>

namespace penning::test {
namespace {

using actors::readiness;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class OsProcessReady : public real_os_process {
 protected:
  using real_os_process::start;

  void start(actors::os_process_options options, actors::ready_check check) {
    options.cd = directory_;
    options.delay_to_sigkill = delay_;
    options.ready = readiness{std::move(check), 5ms};
    real_os_process::start(std::move(options));
  }

  void start(const std::string& script, actors::ready_check check) {
    start({{.program = "/bin/sh", .args = {"-c", script}, .env = {{"NEEDED", "3"}}}},
          std::move(check));
  }

  std::chrono::milliseconds delay_ = 20ms; // from SIGTERM to SIGKILL
};

// -- each check -----------------------------------------------------------------------------------

TEST_F(OsProcessReady, IsStartedOnceItHasWrittenALineWhichItsOwnerHasBefore) {
  start("echo one; echo the server is ready; exec cat", actors::stdout_line{"is ready"});
  journal::entries before;
  do
    before.push_back(told_.next());
  while (before.back().starts_with("data "));
  EXPECT_EQ(before.back(), "started");
  EXPECT_THAT(output_of(before), HasSubstr("is ready"));
}

TEST_F(OsProcessReady, IsStartedOnceAFileIsInItsDirectoryAndTakesInputBefore) {
  start("echo up; read go; : > ready; exec cat", actors::file_exists{"ready"});
  EXPECT_EQ(told_.next(), "data up\n");
  send(actors::command{{'g', 'o', '\n'}});
  EXPECT_EQ(told_.next(), "started");
}

TEST_F(OsProcessReady, IsStartedOnceAPortAccepts) {
  auto port = listener::tcp();
  start("echo up; exec cat", actors::tcp_accepts{"localhost", port.port()});
  EXPECT_EQ(told_.next(), "data up\n");
  port.listen();
  EXPECT_EQ(told_.next(), "started");
}

TEST_F(OsProcessReady, IsStartedOnceASocketInItsDirectoryAccepts) {
  start("echo up; exec cat", actors::unix_accepts{"socket"});
  EXPECT_EQ(told_.next(), "data up\n");
  listener socket{io::unix_address(directory_ + "/socket")};
  socket.listen();
  EXPECT_EQ(told_.next(), "started");
}

TEST_F(OsProcessReady, IsStartedOnceACommandSucceedsWhichFailsTwice) {
  const auto* check = "echo run >> runs; test $(wc -l < runs) = $NEEDED";
  start("exec cat", actors::command_succeeds{"sh", {"-c", check}});
  EXPECT_EQ(told_.next(), "started");
  std::ifstream runs{directory_ + "/runs"};
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>{runs}, {}), "run\nrun\nrun\n");
}

// -- an end before it is ready --------------------------------------------------------------------

TEST_F(OsProcessReady, EndsWithItsOwnReasonBeforeItIsReady) {
  start("exit 3", actors::file_exists{"never"});
  EXPECT_THAT(told_.rest(), ElementsAre("exited", "exit {exit_status,3}"));
}

TEST_F(OsProcessReady, IsStoppedBeforeItIsReady) {
  start("echo up; exec cat", actors::file_exists{"never"});
  EXPECT_EQ(told_.next(), "data up\n");
  send_exit(atoms::shutdown());
  EXPECT_THAT(told_.rest(), ElementsAre("exited", "exit shutdown"));
}

TEST_F(OsProcessReady, IsClosedBeforeItIsReady) {
  start("echo up; exec cat", actors::stdout_line{"never"});
  EXPECT_EQ(told_.next(), "data up\n");
  send(actors::close{});
  EXPECT_THAT(told_.rest(), ElementsAre("closed", "exited", "exit shutdown"));
}

TEST_F(OsProcessReady, IsNotStartedByItsLastWords) {
  delay_ = 1h;
  start("trap 'echo ready; exit' TERM; sleep 1000 & echo up; wait", actors::stdout_line{"ready"});
  EXPECT_EQ(told_.next(), "data up\n");
  send(actors::close{});
  EXPECT_THAT(told_.rest(), ElementsAre("data ready\n", "closed", "exited", "exit shutdown"));
}

TEST_F(OsProcessReady, SaysThatItCannotBeExecuted) {
  start({{.program = "/nonexistent"}}, actors::file_exists{"never"});
  EXPECT_THAT(told_.next(), StartsWith("failed {enoent,"));
}

TEST_F(OsProcessReady, IsKilledWhereItCanNeverBeReady) {
  start("trap '' TERM; exec cat", actors::command_succeeds{"/nonexistent"});
  EXPECT_THAT(told_.rest(), ElementsAre("exited", StartsWith("exit {not_ready,{enoent,")));
}

TEST_F(OsProcessReady, IsStartedAlsoIfItEndsAtOnceAfterItsLine) {
  start("printf ready; exit 4", actors::stdout_line{"ready"});
  EXPECT_THAT(told_.rest(), ElementsAre("data ready", "started", "exited", "exit {exit_status,4}"));
}

/// Waits for a check that runs for ever, whose pid it writes as soon as it has it.
class OsProcessReadyCommand : public OsProcessReady {
 protected:
  void start() {
    ASSERT_EQ(::mkfifo((directory_ + "/pid").c_str(), 0600), 0);
    OsProcessReady::start(
      "read pid < pid; echo $$ $pid; exec cat",
      actors::command_succeeds{"sh", {"-c", "trap '' TERM; echo $$ > pid; exec sleep 1000"}});
    both_ = io::test::hold(told_.next().substr(5));
    ASSERT_EQ(both_.size(), 2u);
  }

  bool any_alive() const {
    return std::ranges::any_of(both_, [](const auto& each) { return each.alive(); });
  }

  std::vector<io::test::held_process> both_;
};

TEST_F(OsProcessReadyCommand, IsGoneOnceItsProcessIsStopped) {
  start();
  send_exit(atoms::shutdown());
  EXPECT_THAT(told_.rest(), ElementsAre("exited", "exit shutdown"));
  EXPECT_FALSE(any_alive());
}

TEST_F(OsProcessReadyCommand, IsKilledWithItsProcessWithoutDelay) {
  delay_ = 1h;
  start();
  send_exit(atoms::kill());
  EXPECT_THAT(told_.rest(), ElementsAre("exited", "exit killed"));
  EXPECT_FALSE(any_alive());
}

TEST_F(OsProcessReadyCommand, IsGoneOnceItsProcessHasEnded) {
  start();
  send(actors::close_stdin{});
  EXPECT_THAT(told_.rest(), ElementsAre("exited", "exit normal"));
  EXPECT_FALSE(any_alive());
}

TEST_F(OsProcessReadyCommand, IsGoneOnceTheOwnerHasEnded) {
  start();
  end_owner();
  EXPECT_FALSE(any_alive());
}

// -- a flood --------------------------------------------------------------------------------------

class OsProcessReadyFlood : public OsProcessReady,
                            public testing::WithParamInterface<std::pair<std::string, int>> {};

TEST_P(OsProcessReadyFlood, OfOneLineIsDeliveredAndSearched) {
  const auto& [text, starts] = GetParam();
  start({{.program = PENNING_TEST_PROGRAMS "/flood", .args = {"3000000"}}},
        actors::stdout_line{text});
  const auto told = told_.rest();
  EXPECT_EQ(output_of(told).size(), 3'000'000u);
  EXPECT_EQ(std::ranges::count(told, "started"), starts);
  EXPECT_EQ(told.back(), "exit normal");
}

INSTANTIATE_TEST_SUITE_P(Texts, OsProcessReadyFlood,
                         testing::Values(std::pair{"xyzabc", 1}, std::pair{"xyzabd", 0}));

} // namespace
} // namespace penning::test
