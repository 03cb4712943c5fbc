#include "io/processes.hpp"
#include "support/deterministic.hpp"
#include "support/listener.hpp"

#include <penning/actors/os_process.hpp>
#include <penning/actors/runtime.hpp>
#include <penning/io/context.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <mutex>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <utility>
#include <vector>

namespace penning::test {
namespace {

using actors::os_process;
using actors::readiness;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

/// What an owner was told, in order and as text; a test waits for it.
class journal {
 public:
  using entries = std::vector<std::string>;

  void add(std::string entry) {
    const std::lock_guard lock{mutex_};
    entries_.push_back(std::move(entry));
    changed_.notify_all();
  }

  /// What comes first and has not been taken; empty if nothing comes.
  std::string next() {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, 30s, [this] { return taken_ < entries_.size(); });
    return taken_ < entries_.size() ? entries_[taken_++] : "";
  }

  /// All that is told up to the exit signal, which is the last.
  entries rest() {
    entries result;
    do
      result.push_back(next());
    while (!result.back().empty() && !result.back().starts_with("exit "));
    return result;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  entries entries_;
  std::size_t taken_ = 0;
};

/// An owner that writes down what it is told: "data up\n", "started", "exited", "exit normal".
class keeper : public probe {
 public:
  keeper(caf::actor_config& config, probe::log& remembered, journal& to)
      : probe{config, remembered, true},
        to_{to} {}

  caf::message_handler receive() override {
    return caf::message_handler{
      [this](actors::data& m) {
        to_.add("data " + std::string{m.bytes.begin(), m.bytes.end()});
      },
      [this](actors::closed) { to_.add("closed"); },
      [this](actors::exited) { to_.add("exited"); },
    }
      .or_else(probe::receive());
  }

  caf::actor child;

 protected:
  void handle_ack(const caf::actor_addr&, const actors::start_result& result) override {
    const bool is_up = result.how == actors::start_result::kind::ok;
    to_.add(is_up ? "started" : "failed " + to_string(result.value));
  }
  void handle_exit(const caf::actor_addr&, const term& reason) override {
    to_.add("exit " + to_string(reason));
  }
  void terminate(const term& reason) override {
    child = nullptr;
    probe::terminate(reason);
  }

 private:
  journal& to_;
};

/// Real processes, in a directory of the test's own.
class OsProcessReady : public testing::Test {
 protected:
  OsProcessReady() {
    std::filesystem::create_directory(directory_);
    owner_ = system_->spawn<keeper>(log_, told_);
  }

  ~OsProcessReady() override {
    end_owner();
    EXPECT_TRUE(io::test::only_guardians_left());
    std::filesystem::remove_all(directory_);
  }

  /// And waits until every process of penning has ended.
  void end_owner() {
    if (owner_)
      actors::send_exit(owner_, {}, atoms::kill());
    owner_ = nullptr;
    system_.reset();
  }

  void tell(std::function<void(keeper&)> step) {
    actors::post(owner_, probe::step{[step = std::move(step)](probe& self) {
                   step(static_cast<keeper&>(self));
                 }});
  }

  void start(actors::os_process_options options, actors::ready_check check) {
    options.cd = directory_;
    options.delay_to_sigkill = delay_;
    options.ready = readiness{std::move(check), 5ms};
    tell([this, options](keeper& self) {
      self.child = self.start_link<os_process>(io_, caf::actor{&self}, options).pid;
    });
  }

  void start(const std::string& script, actors::ready_check check) {
    start({{.program = "/bin/sh", .args = {"-c", script}, .env = {{"NEEDED", "3"}}}},
          std::move(check));
  }

  template <class Message>
  void send(Message message) {
    tell([message](keeper& self) { actors::send(&self, self.child, message); });
  }

  void send_exit(const term& reason) {
    tell([reason](keeper& self) { self.exit(self.child, reason); });
  }

  std::chrono::milliseconds delay_ = 20ms; // from SIGTERM to SIGKILL
  const std::string directory_ = testing::TempDir() + "ready_" + std::to_string(::getpid());
  probe::log log_;
  journal told_;
  io::context io_;
  actors::system_config config_;
  std::optional<caf::actor_system> system_{std::in_place, config_};
  caf::actor owner_;
};

std::string output_of(const journal::entries& told) {
  std::string result;
  for (const auto& entry : told)
    if (entry.starts_with("data "))
      result += entry.substr(5);
  return result;
}

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
