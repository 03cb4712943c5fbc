#include "os_process_fixture.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <optional>
#include <unistd.h>

namespace penning::test {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr auto leader = signal_target::leader;
constexpr auto group = signal_target::group;

// -- names of signals -----------------------------------------------------------------------------

struct signal_case {
  term name;
  std::optional<int> number;
};

class SignalName : public testing::TestWithParam<signal_case> {};

TEST_P(SignalName, IsANumber) {
  EXPECT_EQ(actors::signal_number(GetParam().name), GetParam().number);
}

INSTANTIATE_TEST_SUITE_P(
  Each, SignalName,
  testing::Values(signal_case{"SIGINT"_a, SIGINT}, signal_case{"INT"_a, SIGINT},
                  signal_case{"sigusr1"_a, SIGUSR1}, signal_case{"hup", SIGHUP}, signal_case{1, 1},
                  signal_case{64, 64}, //
                  signal_case{0, {}}, signal_case{65, {}}, signal_case{-15, {}},
                  signal_case{"SIG"_a, {}}, signal_case{"SIGNOSUCH"_a, {}}, signal_case{"", {}},
                  signal_case{term{std::string{"INT\0", 4}}, {}}, signal_case{2.0, {}}));

// -- to end ---------------------------------------------------------------------------------------

class OsProcessStop : public OsProcess {
 protected:
  void stop_running(actors::os_process_options options) {
    running(std::move(options));
    from_owner(actors::close{});
  }

  /// The child that runs first, and the one that is to stop it.
  recording_host::record& target() { return *host_.children.at(0); }
  recording_host::record& command() { return *host_.children.at(1); }

  void stop_by_command() {
    actors::os_process_options options;
    options.program = "/bin/server";
    options.cd = "/usr";
    options.env = {{"PORT", "80"}};
    options.umask = 077;
    options.stop_command = {"/bin/ctl", {"stop"}};
    stop_running(std::move(options));
    ASSERT_EQ(host_.children.size(), 2u);
    command().pid = 4712;
  }
};

TEST_F(OsProcessStop, IsByTheSignalThatWasChosen) {
  actors::os_process_options options;
  options.stop_signal = "INT";
  stop_running(std::move(options));
  EXPECT_THAT(target().signals, ElementsAre(Pair(SIGINT, leader), Pair(SIGCONT, leader)));
  advance(500ms);
  EXPECT_EQ(target().signals.back(), std::pair(SIGKILL, group));
}

TEST_F(OsProcessStop, OfATerminalIsAHangUpUnlessASignalWasChosen) {
  actors::os_process_options options;
  options.pty.emplace();
  stop_running(options);
  EXPECT_TRUE(target().hung_up);
  EXPECT_TRUE(target().signals.empty());
  advance(500ms);
  EXPECT_THAT(target().signals, ElementsAre(Pair(SIGKILL, group)));
  options.stop_signal = SIGQUIT;
  stop_running(options);
  EXPECT_FALSE(host_.last().hung_up);
  EXPECT_EQ(host_.last().signals.at(0), std::pair(SIGQUIT, leader));
}

TEST_F(OsProcessStop, ByACommandRunsItBesideTheChild) {
  stop_by_command();
  const auto& how = command().options;
  EXPECT_EQ(how.program, "/bin/ctl");
  EXPECT_THAT(how.args, ElementsAre("stop"));
  EXPECT_EQ(how.cd, "/usr");
  EXPECT_EQ(how.umask, 077);
  EXPECT_THAT(how.env, ElementsAre(Pair("PORT", "80"), Pair("MAINPID", "4711")));
  EXPECT_TRUE(target().signals.empty());
  command().start();
  run();
  EXPECT_TRUE(command().stdin_closed);
}

TEST_F(OsProcessStop, ByACommandThatSucceedsLeavesTheChildItsDelay) {
  stop_by_command();
  command().start();
  command().end({status, 0, false});
  run();
  EXPECT_TRUE(target().signals.empty());
  advance(500ms);
  EXPECT_THAT(target().signals, ElementsAre(Pair(SIGKILL, group)));
}

TEST_F(OsProcessStop, ByACommandThatFailsIsByTheSignalAtOnce) {
  stop_by_command();
  command().start();
  command().end({status, 1, false});
  run();
  EXPECT_EQ(target().signals, asked_to_end);
}

TEST_F(OsProcessStop, ByACommandThatCannotStartIsByTheSignalAtOnce) {
  stop_by_command();
  command().observer->on_start_failed(std::make_error_code(std::errc::permission_denied), "x");
  command().observer.reset();
  run();
  EXPECT_EQ(target().signals, asked_to_end);
}

TEST_F(OsProcessStop, ByACommandWhoseDirectoryIsGoneIsByTheSignalAtOnce) {
  const auto directory = testing::TempDir() + "stop_" + std::to_string(::getpid());
  std::filesystem::create_directory(directory);
  actors::os_process_options options;
  options.cd = directory;
  options.stop_command = {"/bin/ctl", {}};
  running(std::move(options));
  std::filesystem::remove(directory);
  from_owner(actors::close{});
  EXPECT_EQ(host_.children.size(), 1u);
  EXPECT_EQ(target().signals, asked_to_end);
}

TEST_F(OsProcessStop, ByACommandThatHangsKillsTheChildAndThenIt) {
  stop_by_command();
  command().start();
  advance(500ms);
  EXPECT_THAT(target().signals, ElementsAre(Pair(SIGKILL, group)));
  target().end({by_signal, SIGKILL, false});
  run();
  EXPECT_THAT(command().signals, ElementsAre(Pair(SIGKILL, group)));
  EXPECT_TRUE(got_.ends.empty()) << "not before both are gone";
  command().end({by_signal, SIGKILL, false});
  run();
  ASSERT_EQ(got_.ends.size(), 1u);
  EXPECT_EQ(got_.ends[0].os_pid, 4711);
  EXPECT_EQ(got_.signals.exits.at(0).second, atoms::shutdown());
}

TEST_F(OsProcessStop, IsAKillWhenItIsKilledMeanwhile) {
  stop_by_command();
  command().start();
  run();
  actors::send_exit(child_, {}, atoms::kill());
  run();
  EXPECT_THAT(target().signals, ElementsAre(Pair(SIGKILL, group)));
  target().end({by_signal, SIGKILL, false});
  run();
  command().end({by_signal, SIGKILL, false});
  run();
  EXPECT_EQ(got_.signals.exits.at(0).second, atoms::killed());
}

TEST_F(OsProcessStop, RefusesASignalAndACommandThatCannotBe) {
  const auto error = [](auto change) -> std::string {
    actors::os_process_options options{{.program = "/bin/true"}};
    change(options);
    try {
      actors::validate(options);
    } catch (const io::option_error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(error([](auto& o) { o.stop_signal = 65; }), "stop_signal \"65\": no such signal");
  EXPECT_EQ(error([](auto& o) { o.stop_signal = "SIGFOO"; }),
            "stop_signal \"SIGFOO\": no such signal");
  EXPECT_EQ(error([](auto& o) { o.stop_command.emplace(); }),
            "stop_command \"\": its program must not be empty");
}

// -- orders and questions -------------------------------------------------------------------------

class OsProcessControl : public OsProcess {
 protected:
  template <class Message>
  term ask(Message message) {
    term result = "silent"_a;
    tell(owner_, [&](probe& self) {
      actors::request(&self, child_, message)
        .then([&] { result = atoms::ok(); },
              [&](const caf::error& e) { result = actors::reason_from(e); });
    });
    return result;
  }

  actors::info_reply ask_info() {
    actors::info_reply result;
    tell(owner_, [&](probe& self) {
      actors::request(&self, child_, actors::info{}).then([&](const actors::info_reply& r) {
        result = r;
      });
    });
    return result;
  }

  const term no_process = tuple_of("esrch"_a, "No such process");
};

TEST_F(OsProcessControl, SendsTheChildASignal) {
  start();
  EXPECT_EQ(ask(actors::signal{SIGHUP}), no_process);
  host_.last().start();
  run();
  EXPECT_EQ(ask(actors::signal{SIGHUP}), atoms::ok());
  actors::post(child_, actors::signal{"SIGUSR1"_a}); // from anybody
  run();
  EXPECT_EQ(ask(actors::signal{"nosuch"_a}), tuple_of("bad_signal"_a, "nosuch"_a));
  EXPECT_THAT(host_.last().signals, ElementsAre(Pair(SIGHUP, leader), Pair(SIGUSR1, leader)));
}

TEST_F(OsProcessControl, ChangesTheWindowOfATerminal) {
  running();
  EXPECT_EQ(ask(actors::window_size{30, 100}),
            tuple_of("enotty"_a, "Inappropriate ioctl for device"));
  actors::os_process_options options;
  options.pty.emplace();
  start(std::move(options));
  EXPECT_EQ(ask(actors::window_size{30, 100}), no_process);
  host_.last().start();
  run();
  EXPECT_EQ(ask(actors::window_size{30, 100}), atoms::ok());
  ASSERT_EQ(host_.last().sizes.size(), 1u);
  EXPECT_EQ(host_.last().sizes[0], (io::window_size{.rows = 30, .columns = 100}));
}

TEST_F(OsProcessControl, TellsHowItIs) {
  actors::os_process_options options;
  options.stdio_window = 4;
  start(std::move(options));
  EXPECT_EQ(ask_info().state, "starting"_a);
  host_.last().start();
  from_owner(actors::command{{'a', 'b', 'c'}});
  host_.last().observer->on_written(2);
  host_.last().write(io::output::err, "oops");
  advance(1234ms);
  auto now = ask_info();
  EXPECT_EQ(now.state, "running"_a);
  EXPECT_EQ(now.os_pid, 4711);
  EXPECT_EQ(now.uptime, 1234);
  EXPECT_EQ(now.stdin_bytes, 2u);
  EXPECT_EQ(now.stdin_queued, 1u);
  EXPECT_EQ(now.stdout_bytes, 0u);
  EXPECT_EQ(now.stderr_bytes, 4u);
  EXPECT_EQ(now.containment, "process group with guardian");
  from_owner(actors::close{});
  EXPECT_EQ(ask_info().state, "stopping"_a);
  got_.consumes = false;
  host_.last().write(io::output::out, "12345"); // holds the actor beyond the end
  end(status, 0);
  advance(1s);
  now = ask_info();
  EXPECT_EQ(now.state, "draining"_a);
  EXPECT_EQ(now.os_pid, 0);
  EXPECT_EQ(now.uptime, 1234);
  EXPECT_EQ(now.stdout_bytes, 5u);
  EXPECT_EQ(now.containment, "");
}

} // namespace
} // namespace penning::test
