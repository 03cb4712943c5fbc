// What an OS process does with real programs.

#include "real_os_process.hpp"
#include "support/memory.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <future>
#include <iterator>
#include <string>
#include <sys/stat.h>
#include <utility>
#include <vector>

namespace penning::test {
namespace {

using actors::delivery;
using testing::ElementsAre;

class OsProcessReal : public real_os_process {
 protected:
  void start_program(const std::string& name, std::vector<std::string> args = {},
                     actors::os_process_options options = {}) {
    options.program = name.starts_with('/') ? name : PENNING_TEST_PROGRAMS "/" + name;
    options.args = std::move(args);
    start(std::move(options));
  }

  void start_script(const std::string& script, actors::os_process_options options = {}) {
    options.cd = directory_;
    start_program("/bin/sh", {"-c", script}, std::move(options));
  }

  /// The next entry, once what says that it has started is over.
  std::string next() {
    const auto entry = told_.next();
    return entry == "started" ? told_.next() : entry;
  }

  actors::info_reply ask_info() {
    std::promise<actors::info_reply> answer;
    tell([&](keeper& self) {
      actors::request(&self, self.child, actors::info{}).then([&](const actors::info_reply& r) {
        answer.set_value(r);
      });
    });
    return answer.get_future().get();
  }

  std::string text_of_file(const std::string& name) {
    std::ifstream file{directory_ + "/" + name};
    return {std::istreambuf_iterator<char>{file}, {}};
  }
};

// -- orphans --------------------------------------------------------------------------------------

TEST_F(OsProcessReal, TellsTheEndOfTheChildAtOnceWhereItsOrphansAreKept) {
  ASSERT_EQ(::mkfifo((directory_ + "/fifo").c_str(), 0600), 0);
  actors::os_process_options options;
  options.orphans = io::orphan_policy::keep;
  start_script("(read line < fifo; echo $line) & exit 3", std::move(options));
  ASSERT_EQ(next(), "exited");
  std::ofstream{directory_ + "/fifo"} << "late\n";
  EXPECT_THAT(told_.rest(), ElementsAre("data late\n", "exit {exit_status,3}"));
}

TEST_F(OsProcessReal, KnowsThatTheChildHasEndedWhereItsOrphansAreKept) {
  actors::os_process_options options;
  options.orphans = io::orphan_policy::keep;
  start_script("sleep 1000 & exit 3", std::move(options));
  ASSERT_EQ(next(), "exited");
  const auto info = ask_info();
  EXPECT_EQ(info.os_pid, 0);
  EXPECT_EQ(info.state, "running"_a);
  EXPECT_NE(info.containment, "");
  EXPECT_GT(info.usage.max_rss_kib, 0);
  std::promise<std::int64_t> pid;
  std::promise<term> signalled;
  tell([&](keeper& self) {
    actors::request(&self, self.child, actors::os_pid{}).then([&](const actors::os_pid_reply& r) {
      pid.set_value(r.pid);
    });
    actors::request(&self, self.child, actors::signal{"HUP"_a})
      .then([&] { signalled.set_value(atoms::ok()); },
            [&](const caf::error& e) { signalled.set_value(actors::reason_from(e)); });
  });
  EXPECT_EQ(pid.get_future().get(), 0);
  EXPECT_EQ(signalled.get_future().get(), tuple_of("esrch"_a, "No such process"));
}

TEST_F(OsProcessReal, EndsItsOrphansWhenItIsStopped) {
  actors::os_process_options options;
  options.orphans = io::orphan_policy::keep;
  start_program("family", {"deaf", "exit"}, std::move(options));
  ASSERT_EQ(next(), "data ready\n");
  ASSERT_EQ(next(), "exited");
  send_exit(atoms::shutdown());
  EXPECT_THAT(told_.rest(), ElementsAre("exit shutdown"));
}

// -- lines ----------------------------------------------------------------------------------------

class OsProcessRealLines : public OsProcessReal, public testing::WithParamInterface<std::size_t> {};

TEST_P(OsProcessRealLines, AllComeBeforeTheEndWhateverTheWindow) {
  actors::os_process_options options;
  options.stdio_window = GetParam();
  options.stdout_delivery = {delivery::kind::lines, "", 8};
  start_script("i=0; while [ $i -lt 5000 ]; do echo $i; i=$((i+1)); done; printf end; exit 3",
               std::move(options));
  const auto told = told_.rest();
  int lines = 0;
  for (const auto& entry : told)
    lines += entry == "line " + std::to_string(lines);
  EXPECT_EQ(lines, 5000);
  ASSERT_GT(told.size(), 3u);
  EXPECT_EQ(told[told.size() - 3], "part end");
  EXPECT_EQ(told.back(), "exit {exit_status,3}");
}

INSTANTIATE_TEST_SUITE_P(Windows, OsProcessRealLines, testing::Values(1, 9, 65'536));

TEST_F(OsProcessReal, DeliversAFloodWithoutLinesInPieces) {
  actors::os_process_options options;
  options.stdout_delivery = {delivery::kind::lines, "", 1000};
  start_program("flood", {"1000001"}, std::move(options));
  const auto told = told_.rest();
  std::size_t bytes = 0;
  for (const auto& entry : told) {
    bytes += entry.starts_with("part ") ? entry.size() - 5 : 0;
    EXPECT_LE(entry.size(), 1005u);
  }
  EXPECT_EQ(bytes, 1'000'001u);
}

TEST_F(OsProcessReal, DeliversTheRestOfALineWhenItsStreamIsClosed) {
  actors::os_process_options options;
  options.stdout_delivery.what = delivery::kind::lines;
  start_script("printf rest; exec >&- 2>&-; exec sleep 1000", std::move(options));
  EXPECT_EQ(next(), "part rest");
}

// -- stdin ----------------------------------------------------------------------------------------

/// In KiB: what this process has resident.
std::int64_t resident_kib() {
  long pages = 0, resident = 0;
  std::ifstream{"/proc/self/statm"} >> pages >> resident;
  return resident * (::sysconf(_SC_PAGESIZE) / 1024);
}

TEST_F(OsProcessReal, ThatNeverReadsTakesBoundedMemoryAndCanStillBeStopped) {
  actors::os_process_options options;
  options.delay_to_sigkill = 60s;
  start_program("never_reads", {}, std::move(options));
  EXPECT_EQ(next(), "data ready\n");
  constexpr std::size_t piece = 64UL * 1024, all = 100UL * 1024 * 1024;
  const auto before = resident_kib();
  std::int64_t most = 0;
  for (std::size_t sent = 0; sent < all; sent += piece) {
    send(actors::command{std::vector<char>(piece, 'x')});
    if (sent % (16 * piece) == 0) {
      const auto info = ask_info(); // all that was sent before has been looked at
      EXPECT_LE(info.stdin_queued, actors::os_process_options{}.stdin_limit);
      most = std::max(most, resident_kib() - before);
    }
  }
  if (memory_is_ours) {
    EXPECT_LT(most, 30 * 1024) << "KiB more than before";
  }
  const auto info = ask_info();
  std::promise<std::uint64_t> refused;
  tell([&](keeper& self) { refused.set_value(self.refused); }); // came before the answer
  EXPECT_EQ(info.stdin_bytes + info.stdin_queued + refused.get_future().get(), all);
  // another child is at full speed meanwhile
  journal of_other;
  probe::log log;
  auto other = system_->spawn<keeper>(log, of_other);
  actors::post(other, probe::step{[this](probe& self) {
                 self.start_link<actors::os_process>(
                   io_, caf::actor{&self},
                   actors::os_process_options{
                     {.program = PENNING_TEST_PROGRAMS "/flood", .args = {"1000000"}}});
               }});
  EXPECT_EQ(output_of(of_other.rest()).size(), 1'000'000u);
  actors::send_exit(other, {}, atoms::kill());
  send(actors::close{});
  auto told = told_.rest();
  std::erase(told, "stdin_closed epipe"); // its pipe may be closed before it counts as dead
  EXPECT_THAT(told, ElementsAre("busy", "closed", "exited", "exit shutdown"));
}

TEST_F(OsProcessReal, IsReadyAgainOnceItReads) {
  ASSERT_EQ(::mkfifo((directory_ + "/go").c_str(), 0600), 0);
  actors::os_process_options options;
  options.stdin_window = 200'000;
  start_script("echo up; read go < go; exec wc -c", std::move(options));
  EXPECT_EQ(next(), "data up\n");
  send(actors::command{std::vector<char>(100'000, 'x')});
  send(actors::command{std::vector<char>(300'000, 'x')}); // more than the window and a pipe
  EXPECT_EQ(told_.next(), "busy");
  std::ofstream{directory_ + "/go"} << "go\n";
  EXPECT_EQ(told_.next(), "ready");
  send(actors::close_stdin{});
  EXPECT_THAT(told_.rest(), ElementsAre("data 400000\n", "exited", "exit normal"));
}

TEST_F(OsProcessReal, TellsThatItsStdinIsClosedAndLives) {
  start_program("closes", {"0"});
  EXPECT_EQ(next(), "data closed\n");
  send(actors::command{{'x'}});
  EXPECT_EQ(told_.next(), "stdin_closed epipe");
  EXPECT_EQ(ask_info().state, "running"_a);
  send(actors::close{});
  EXPECT_THAT(told_.rest(), ElementsAre("closed", "exited", "exit shutdown"));
}

// -- its end --------------------------------------------------------------------------------------

TEST_F(OsProcessReal, IsStoppedByItsStopSignal) {
  actors::os_process_options options;
  options.stop_signal = "QUIT";
  options.delay_to_sigkill = 60s;
  start_script("trap 'echo quit; exit 0' QUIT; trap '' TERM; echo up; while :; do sleep 0.01; done",
               std::move(options));
  EXPECT_EQ(next(), "data up\n");
  send(actors::close{});
  EXPECT_THAT(told_.rest(), ElementsAre("data quit\n", "closed", "exited", "exit shutdown"));
}

TEST_F(OsProcessReal, EndsByItsStopSignalWhileItIsStopped) {
  actors::os_process_options options;
  options.delay_to_sigkill = 60s;
  start_script("echo $$; exec sleep 1000", std::move(options));
  const auto pid = std::stoi(next().substr(5));
  send(actors::signal{SIGSTOP});
  const auto limit = std::chrono::steady_clock::now() + 30s;
  while (io::test::state_of(pid) != 'T' && std::chrono::steady_clock::now() < limit)
    ask_info();
  ASSERT_EQ(io::test::state_of(pid), 'T');
  send(actors::close{});
  EXPECT_THAT(told_.rest(), ElementsAre("closed", "exited", "exit shutdown"));
}

TEST_F(OsProcessReal, IsStoppedByACommandThatKnowsItsPid) {
  actors::os_process_options options;
  options.delay_to_sigkill = 60s;
  options.stop_command = {"/bin/sh", {"-c", "echo $MAINPID > pid; kill -USR1 $MAINPID"}};
  start_script("trap 'exit 0' USR1; trap '' TERM; echo $$; while :; do sleep 0.01; done",
               std::move(options));
  const auto pid = next().substr(5);
  send(actors::close{});
  EXPECT_THAT(told_.rest(), ElementsAre("closed", "exited", "exit shutdown"));
  EXPECT_EQ(text_of_file("pid"), pid);
}

TEST_F(OsProcessReal, IsStoppedByItsSignalWhereTheCommandCannotBeExecuted) {
  actors::os_process_options options;
  options.delay_to_sigkill = 60s;
  options.stop_command = {"/nonexistent", {}};
  start_script("echo up; exec sleep 1000", std::move(options));
  EXPECT_EQ(next(), "data up\n");
  send(actors::close{});
  EXPECT_THAT(told_.rest(), ElementsAre("closed", "exited", "exit shutdown"));
}

TEST_F(OsProcessReal, TakesItsStopCommandWithIt) {
  ASSERT_EQ(::mkfifo((directory_ + "/pid").c_str(), 0600), 0);
  actors::os_process_options options;
  options.delay_to_sigkill = 60s;
  options.stop_command = {"/bin/sh", {"-c", "trap '' TERM; echo $$ > pid; exec sleep 1000"}};
  start_script("echo up; read pid < pid; echo $pid; read go", std::move(options));
  EXPECT_EQ(next(), "data up\n");
  send(actors::close{});
  const auto command = io::test::hold(told_.next().substr(5));
  ASSERT_EQ(command.size(), 1u);
  EXPECT_TRUE(command[0].alive());
  send(actors::close_stdin{});
  EXPECT_THAT(told_.rest(), ElementsAre("closed", "exited", "exit shutdown"));
  EXPECT_FALSE(command[0].alive());
}

// -- questions ------------------------------------------------------------------------------------

TEST_F(OsProcessReal, TellsWhatItHasUsed) {
  start_script("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo done; read go");
  EXPECT_EQ(next(), "data done\n");
  const auto info = ask_info();
  EXPECT_GT((info.usage.user + info.usage.system).count(), 0);
  EXPECT_GT(info.usage.max_rss_kib, 100);
  EXPECT_EQ(info.stdout_bytes, 5u);
  EXPECT_NE(info.containment, "");
}

TEST_F(OsProcessReal, EndsBySignalsThatItIsSent) {
  start_program("never_reads");
  EXPECT_EQ(next(), "data ready\n");
  send(actors::signal{"SIGKILL"_a});
  EXPECT_THAT(told_.rest(), ElementsAre("exited", "exit {signal,9}"));
}

} // namespace
} // namespace penning::test
