#include "os_process_fixture.hpp"

#include <penning/actors/run.hpp>
#include <penning/actors/runtime.hpp>

#include <gmock/gmock.h>

namespace penning::test {
namespace {

using actors::os_process_options;
using actors::run_error;
using actors::run_options;
using actors::run_result;
using testing::Pair;
using testing::StartsWith;

constexpr auto by_status = io::exit_status::kind::status;
constexpr auto by_signal = io::exit_status::kind::signal;

os_process_options script(const std::string& text) {
  return {{.program = "/bin/sh", .args = {"-c", text}}};
}

// -- blocking, with real commands -----------------------------------------------------------------

class Run : public testing::Test {
 protected:
  run_result run(os_process_options command, run_options options = {}) {
    return actors::run(self_, runtime_.io(), std::move(command), std::move(options));
  }

  actors::runtime runtime_;
  caf::scoped_actor self_{runtime_.system()};
};

TEST_F(Run, GivesTheOutputAndTheStatusOfACommand) {
  const auto result = run(script("echo out; echo err >&2; exit 3"));
  EXPECT_EQ(text(result.out), "out\n");
  EXPECT_EQ(text(result.err), "err\n");
  EXPECT_EQ(result.how, (io::exit_status{by_status, 3, false}));
  EXPECT_GT(result.usage.max_rss_kib, 0);
  EXPECT_FALSE(result.truncated || result.timed_out);
}

TEST_F(Run, FeedsACommandThatReadsItsInput) {
  const std::vector<char> input(3 << 20, 'x');
  const auto result = run({{.program = "/bin/cat"}}, {.input = input});
  EXPECT_EQ(result.out, input);
}

TEST_F(Run, LeavesACommandThatDoesNotReadItsInput) {
  const auto result = run({{.program = "/bin/true"}}, {.input = std::vector<char>(3 << 20, 'x')});
  EXPECT_EQ(result.how, (io::exit_status{by_status, 0, false}));
}

TEST_F(Run, KeepsTheFirstBytesAndDropsTheRest) {
  const auto result =
    run({{.program = PENNING_TEST_PROGRAMS "/flood", .args = {"3000000"}}}, {.max_output = 30});
  EXPECT_EQ(text(result.out), "abcdefghijklmnopqrstuvwxyzabcd");
  EXPECT_TRUE(result.truncated);
  EXPECT_EQ(result.how, (io::exit_status{by_status, 0, false}));
}

TEST_F(Run, DoesNotCallOutputOfExactlyItsBoundCut) {
  const auto result = run(script("printf 1234"), {.max_output = 4});
  EXPECT_EQ(text(result.out), "1234");
  EXPECT_FALSE(result.truncated);
}

TEST_F(Run, StopsACommandThatIsNotDoneInTime) {
  const auto result = run(script("echo before; exec sleep 1000"), {.timeout = 200ms});
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.how, (io::exit_status{by_signal, SIGTERM, false}));
}

TEST_F(Run, KillsACommandThatDoesNotStop) {
  auto command = script("trap '' TERM; while :; do sleep 0.01; done");
  command.delay_to_sigkill = 20ms;
  const auto result = run(std::move(command), {.timeout = 200ms});
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.how.code, SIGKILL);
}

TEST_F(Run, SaysWhyACommandCannotBeRun) {
  try {
    run({{.program = "/nonexistent"}});
    FAIL();
  } catch (const run_error& error) {
    EXPECT_THAT(to_string(error.reason()), StartsWith("{enoent,"));
  }
  EXPECT_THROW(run({}), io::option_error);
  EXPECT_THROW(run({{.program = "/bin/true"}}, {.timeout = -1ms}), io::option_error);
}

// -- for an actor, step by step -------------------------------------------------------------------

class RunForActor : public deterministic {
 protected:
  RunForActor() { caller_ = spawn<probe>(log_, true); }

  ~RunForActor() override {
    actors::send_exit(caller_, {}, atoms::kill());
    run();
    for (auto& record : host_.children)
      if (record->observer)
        record->end({by_signal, SIGKILL, false});
    run();
  }

  void run_command(os_process_options command, run_options options = {}) {
    actors::post(caller_, probe::step{[&](probe& self) {
                   actors::run(
                     &self, host_, command, options,
                     [this](run_result& result) { result_ = std::move(result); },
                     [this](const caf::error& e) { failure_ = actors::reason_from(e); });
                 }});
    run();
  }

  probe::log log_;
  recording_host host_;
  caf::actor caller_;
  std::optional<run_result> result_;
  std::optional<term> failure_;
};

TEST_F(RunForActor, GivesTheResultOnceItIsThere) {
  run_command(script("x"), {.input = {'h', 'i'}});
  host_.last().start();
  run();
  EXPECT_EQ(host_.last().written, "hi");
  EXPECT_TRUE(host_.last().stdin_closed);
  host_.last().write(io::output::out, "done");
  run();
  EXPECT_FALSE(result_);
  host_.last().end({by_status, 0, false});
  run();
  ASSERT_TRUE(result_);
  EXPECT_EQ(text(result_->out), "done");
}

TEST_F(RunForActor, StopsACommandInTheTimeThatItHas) {
  run_command(script("x"), {.timeout = 50ms});
  host_.last().start();
  advance(49ms);
  EXPECT_TRUE(host_.last().signals.empty());
  advance(1ms);
  EXPECT_EQ(host_.last().signals, asked_to_end);
  host_.last().end({by_status, 0, false});
  run();
  ASSERT_TRUE(result_);
  EXPECT_TRUE(result_->timed_out) << "whatever its status";
}

TEST_F(RunForActor, SaysWhyItCannotBeRun) {
  run_command({});
  EXPECT_EQ(failure_, tuple_of("bad_option"_a, "program"_a, "", "must not be empty"));
  run_command(script("x"));
  host_.last().observer->on_start_failed(std::make_error_code(std::errc::permission_denied), "x");
  host_.last().observer.reset();
  run();
  EXPECT_EQ(failure_, tuple_of("eacces"_a, "x: Permission denied"));
}

TEST_F(RunForActor, EndsWithTheOneWhoAsked) {
  run_command(script("x"));
  host_.last().start();
  run();
  actors::send_exit(caller_, {}, atoms::kill());
  run();
  EXPECT_EQ(host_.last().signals, asked_to_end);
}

TEST_F(RunForActor, KillsItsCommandWhenItIsKilled) {
  auto runner = spawn<actors::command_run>(host_, script("x"), run_options{});
  actors::post(
    caller_, probe::step{[&](probe& self) {
      actors::request(&self, runner, actors::detail::start_run{}).then([this](run_result& result) {
        result_ = std::move(result);
      });
    }});
  run();
  host_.last().start();
  run();
  actors::send_exit(runner, {}, atoms::kill());
  run();
  EXPECT_THAT(host_.last().signals, testing::ElementsAre(Pair(SIGKILL, signal_target::group)));
  host_.last().end({by_signal, SIGKILL, false});
  run();
  ASSERT_TRUE(result_);
  EXPECT_EQ(result_->how.code, SIGKILL);
}

} // namespace
} // namespace penning::test
