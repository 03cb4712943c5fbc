#include "support/deterministic.hpp"
#include "support/listener.hpp"
#include "support/recording_host.hpp"

#include <penning/actors/ready_probe.hpp>

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

namespace penning::test {
namespace {

using actors::readiness;
using actors::ready_probe;
using io::signal_target;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using signals = std::vector<std::pair<int, signal_target>>;

constexpr auto status = io::exit_status::kind::status;
constexpr auto by_signal = io::exit_status::kind::signal;

class ReadyProbe : public deterministic {
 protected:
  ReadyProbe() {
    std::filesystem::create_directory(directory_);
    parent_ = spawn<probe>(log_, true);
  }

  ~ReadyProbe() override {
    actors::send_exit(parent_, {}, atoms::kill());
    run();
    for (auto& record : host_.children)
      if (record->observer)
        record->end({by_signal, SIGKILL, false});
    run();
    std::filesystem::remove_all(directory_);
  }

  /// For a process whose `cd` is `directory_`.
  void start(readiness ready) {
    actors::os_process_options of{{.program = "/bin/true", .cd = directory_, .env = {{"A", "x"}}}};
    of.delay_to_sigkill = 70ms;
    of.ready = std::move(ready);
    in_parent([&](probe& self) { probe_ = self.spawn_link<ready_probe>(host_, of); });
  }

  void in_parent(probe::step step) {
    actors::post(parent_, std::move(step));
    run();
  }

  void tell_to_end(const term& how) {
    in_parent([&](probe& self) { self.exit(probe_, how); });
  }

  /// The reason of its end, or the atom `alive`.
  term end() const { return log_.exits.empty() ? term{"alive"_a} : log_.exits.at(0).second; }

  void end_command(int code) {
    host_.last().end({status, code, false});
    run();
  }

  /// Lets the time of an attempt in progress pass, so that it is looked at.
  void settle() {
    for (int look = 0; look < 3; ++look)
      advance(10ms);
  }

  const std::string directory_ = testing::TempDir() + "ready_probe_" + std::to_string(::getpid());
  probe::log log_;
  recording_host host_;
  caf::actor parent_, probe_;
};

TEST_F(ReadyProbe, EndsAtOnceWhereItsCheckPasses) {
  start({actors::file_exists{"."}});
  EXPECT_EQ(end(), atoms::normal());
}

TEST_F(ReadyProbe, LooksForAFileOnceInEachInterval) {
  start({actors::file_exists{"up"}, 100ms});
  std::ofstream{directory_ + "/up"};
  advance(99ms);
  EXPECT_EQ(end(), "alive"_a);
  advance(1ms);
  EXPECT_EQ(end(), atoms::normal());
}

TEST_F(ReadyProbe, LooksForAFileForEver) {
  start({actors::file_exists{"a/b"}, 1ms});
  for (int attempt = 0; attempt < 1000; ++attempt)
    advance(1ms);
  EXPECT_EQ(end(), "alive"_a);
  tell_to_end(atoms::shutdown());
  EXPECT_EQ(end(), atoms::shutdown());
}

TEST_F(ReadyProbe, EndsWithItsParent) {
  probe::log log;
  auto watcher = spawn<probe>(log);
  start({actors::file_exists{"up"}});
  actors::post(watcher, probe::step{[&](probe& self) { self.monitor(probe_); }});
  run();
  in_parent([](probe& self) { self.exit(atoms::normal()); });
  ASSERT_EQ(log.downs.size(), 1u);
  EXPECT_EQ(log.downs[0].second, atoms::normal());
  actors::send_exit(watcher, {}, atoms::kill());
  run();
}

TEST_F(ReadyProbe, SaysWhichPathIsTooLongToBeEver) {
  start({actors::file_exists{std::string(5000, 'x')}});
  EXPECT_THAT(to_string(end()), StartsWith("{not_ready,{enametoolong,"));
}

TEST_F(ReadyProbe, ConnectsToAPort) {
  auto port = listener::tcp();
  start({actors::tcp_accepts{"127.0.0.1", port.port()}});
  settle();
  EXPECT_EQ(end(), "alive"_a);
  port.listen();
  advance(100ms);
  settle();
  EXPECT_EQ(end(), atoms::normal());
}

class ReadyProbeLocalhost : public ReadyProbe, public testing::WithParamInterface<const char*> {};

TEST_P(ReadyProbeLocalhost, IsEitherAddressOfTheLoopback) {
  if (!has_address(GetParam()))
    GTEST_SKIP() << "no address " << GetParam();
  auto port = listener::tcp(GetParam());
  port.listen();
  start({actors::tcp_accepts{"localhost", port.port()}});
  settle();
  EXPECT_EQ(end(), atoms::normal());
}

INSTANTIATE_TEST_SUITE_P(Families, ReadyProbeLocalhost, testing::Values("127.0.0.1", "::1"));

/// Connections that leave a port no room: it answers nobody until somebody is accepted. All but the
/// last stand in its queue.
std::vector<io::connect_attempt> fill(listener& port) {
  port.listen(0);
  std::vector<io::connect_attempt> result;
  while (result.empty() || result.back().look() == std::error_code{})
    result.emplace_back(port.address());
  return result;
}

TEST_F(ReadyProbe, GivesUpAConnectionThatIsInProgressWhenTheNextIsDue) {
  auto port = listener::tcp();
  auto others = fill(port);
  start({actors::tcp_accepts{"127.0.0.1", port.port()}, 100ms});
  advance(99ms);
  EXPECT_EQ(end(), "alive"_a);
  // when there is room again, which only a new attempt notices at once
  for (std::size_t waiting = 1; waiting < others.size(); ++waiting)
    port.accept();
  advance(1ms);
  settle();
  EXPECT_EQ(end(), atoms::normal());
}

TEST_F(ReadyProbe, HasNoMoreTimersHoweverLongAConnectionIsInProgress) {
  auto port = listener::tcp();
  const auto others = fill(port);
  start({actors::tcp_accepts{"127.0.0.1", port.port()}, 20ms});
  auto& timers =
    dynamic_cast<ready_probe&>(*caf::actor_cast<caf::abstract_actor*>(probe_)).timers();
  for (int interval = 0; interval < 10; ++interval)
    advance(20ms);
  EXPECT_EQ(end(), "alive"_a);
  EXPECT_LE(timers.size(), 2u) << "the next attempt, and the next look at this one";
}

TEST_F(ReadyProbe, LooksAgainAtAConnectionThatIsInProgress) {
  auto port = listener::tcp();
  auto others = fill(port);
  start({actors::tcp_accepts{"127.0.0.1", port.port()}, actors::max_delay});
  EXPECT_EQ(end(), "alive"_a);
  const auto waiting = others.size() - 1;
  others.clear();
  for (std::size_t i = 0; i < waiting; ++i)
    port.accept();
  port.accept(); // its own: TCP tries again after a second
  advance(10ms);
  EXPECT_EQ(end(), atoms::normal());
}

TEST(FromDirectory, MakesNoAbstractSocketOfADirectorysName) {
  const auto path = [](const char* cd, const char* name) {
    const auto ready = actors::from_directory({actors::unix_accepts{name}}, cd);
    return std::get<actors::unix_accepts>(ready.check).path;
  };
  EXPECT_EQ(path("@d", "socket"), "./@d/socket");
  EXPECT_EQ(path("d", "socket"), "d/socket");
  EXPECT_EQ(path("@d", "@name"), "@name");
}

TEST_F(ReadyProbe, ConnectsToASocketInTheDirectoryOfItsProcess) {
  start({actors::unix_accepts{"socket"}});
  listener socket{io::unix_address(directory_ + "/socket")};
  advance(100ms);
  EXPECT_EQ(end(), "alive"_a) << "it refuses";
  socket.listen();
  advance(100ms);
  EXPECT_EQ(end(), atoms::normal());
}

TEST_F(ReadyProbe, ConnectsToAnAbstractSocket) {
  const auto name = "@penning_ready_probe_" + std::to_string(::getpid());
  listener socket{io::unix_address(name)};
  socket.listen();
  start({actors::unix_accepts{name}});
  EXPECT_EQ(end(), atoms::normal());
}

TEST_F(ReadyProbe, SaysWhichAddressThisSystemCannotReachEver) {
  start({actors::tcp_accepts{"fe80::1", 80}}); // of no link: no interface is named
  EXPECT_THAT(to_string(end()), AllOf(StartsWith("{not_ready,"), HasSubstr("fe80::1")));
}

// -- a command ------------------------------------------------------------------------------------

TEST_F(ReadyProbe, RunsACommandUntilItSucceedsAnIntervalAfterEachEnd) {
  start({actors::command_succeeds{"check", {"-q"}}, 100ms});
  for (std::size_t run = 1; run < 3; ++run) {
    ASSERT_EQ(host_.children.size(), run);
    host_.last().start();
    advance(1000ms); // one that takes its time is not run twice
    ASSERT_EQ(host_.children.size(), run);
    end_command(2);
    advance(99ms);
    EXPECT_EQ(host_.children.size(), run);
    advance(1ms);
  }
  host_.last().start();
  end_command(0);
  EXPECT_EQ(end(), atoms::normal());
  EXPECT_EQ(host_.children.size(), 3u);
}

TEST_F(ReadyProbe, RunsItsCommandAsItsProcessIsRun) {
  start({actors::command_succeeds{"check", {"-q"}}});
  const auto& options = host_.last().options;
  EXPECT_EQ(options.program, "check");
  EXPECT_EQ(options.args, std::vector<std::string>{"-q"});
  EXPECT_EQ(options.cd, directory_);
  EXPECT_EQ(options.env, (std::vector<io::environment_change>{{"A", "x"}}));
  host_.last().start();
  run();
  EXPECT_TRUE(host_.last().stdin_closed);
}

TEST_F(ReadyProbe, ReadsWhatItsCommandWrites) {
  start({actors::command_succeeds{"check"}});
  host_.last().start();
  run();
  const auto granted = host_.last().granted_out;
  host_.last().write(io::output::out, "accepting connections");
  run();
  EXPECT_GT(host_.last().granted_out, granted) << "or a talkative one would block";
}

TEST_F(ReadyProbe, RunsACommandAgainThatASignalEnded) {
  start({actors::command_succeeds{"check"}});
  host_.last().start();
  host_.last().end({by_signal, SIGSEGV, false});
  advance(100ms);
  EXPECT_EQ(host_.children.size(), 2u);
}

TEST_F(ReadyProbe, SaysWhyItsCommandCannotBeExecuted) {
  start({actors::command_succeeds{"check"}});
  host_.last().observer->on_start_failed(std::make_error_code(std::errc::permission_denied), "x");
  run();
  EXPECT_EQ(end(), tuple_of("not_ready"_a, tuple_of("eacces"_a, "x: Permission denied")));
}

TEST_F(ReadyProbe, RunsACommandAgainForWhichThereWasNoDescriptor) {
  start({actors::command_succeeds{"check"}, 100ms});
  host_.last().observer->on_start_failed(std::make_error_code(std::errc::too_many_files_open), "x");
  advance(100ms);
  EXPECT_EQ(end(), "alive"_a);
  EXPECT_EQ(host_.children.size(), 2u);
}

TEST_F(ReadyProbe, SaysThatTheDirectoryOfItsCommandIsGone) {
  start({actors::command_succeeds{"check"}, 100ms});
  host_.last().start();
  end_command(1);
  std::filesystem::remove_all(directory_);
  advance(100ms);
  EXPECT_THAT(to_string(end()), StartsWith("{not_ready,{bad_option,cd,"));
}

TEST_F(ReadyProbe, StopsItsCommandBeforeItEnds) {
  start({actors::command_succeeds{"check"}});
  host_.last().start();
  run();
  tell_to_end(atoms::shutdown());
  const signals asked{{SIGTERM, signal_target::leader}, {SIGCONT, signal_target::leader}};
  EXPECT_EQ(host_.last().signals, asked);
  advance(69ms);
  EXPECT_EQ(host_.last().signals.size(), 2u);
  advance(1ms);
  EXPECT_EQ(host_.last().signals.size(), 3u) << "the delay of its process";
  EXPECT_EQ(end(), "alive"_a);
  end_command(0);
  EXPECT_EQ(end(), atoms::shutdown());
}

TEST_F(ReadyProbe, KillsItsCommandBeforeItIsKilled) {
  start({actors::command_succeeds{"check"}});
  host_.last().start();
  run();
  tell_to_end(atoms::shutdown());
  tell_to_end(atoms::kill());
  EXPECT_EQ(host_.last().signals, (signals{{SIGTERM, signal_target::leader},
                                           {SIGCONT, signal_target::leader},
                                           {SIGKILL, signal_target::group}}));
  EXPECT_EQ(end(), "alive"_a);
  host_.last().end({by_signal, SIGKILL, false});
  run();
  EXPECT_EQ(end(), atoms::killed());
}

TEST_F(ReadyProbe, ToldToEndWhileItsCommandStartsEndsWhenThatFails) {
  start({actors::command_succeeds{"check"}});
  tell_to_end(atoms::shutdown());
  host_.last().observer->on_start_failed(std::make_error_code(std::errc::permission_denied), "x");
  run();
  EXPECT_EQ(end(), atoms::shutdown());
}

TEST_F(ReadyProbe, ToldToEndBetweenTwoRunsEndsAtOnce) {
  start({actors::command_succeeds{"check"}});
  host_.last().start();
  end_command(1);
  tell_to_end(atoms::shutdown());
  EXPECT_EQ(end(), atoms::shutdown());
  advance(1000ms);
  EXPECT_EQ(host_.children.size(), 1u);
}

} // namespace
} // namespace penning::test
