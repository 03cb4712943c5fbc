// What OTP's supervisors do not have: restarts that wait, starts that have a limit, siblings that
// come first.

#include "scripted_children.hpp"

#include <penning/supervision/dynamic_supervisor.hpp>

namespace penning::test {
namespace {

using actors::list_of;
using DelayedRestart = supervised<supervisor>;
using DynamicDelayedRestart = supervised<dynamic_supervisor>;
using ElixirDelayedRestart = supervised<dynamic_supervisor, dynamic_options>;

constexpr sup_flags patient{.intensity = 10, .period = 5s};

child_spec waiting(child_spec spec) {
  spec.backoff =
    backoff{.initial = 100ms, .max = 400ms, .factor = 2, .jitter = 0, .reset_after = 10s};
  return spec;
}

child_spec limited(child_spec spec) {
  spec.start_timeout = 300ms;
  return spec;
}

child_spec after(child_spec spec, std::vector<term> siblings) {
  spec.start_after = std::move(siblings);
  return spec;
}

// -- back-off -------------------------------------------------------------------------------------

TEST_F(DelayedRestart, WaitsLongerAfterEachFailure) {
  start({waiting(child("a"))}, patient);
  take();
  for (const auto delay : {100ms, 200ms, 400ms, 400ms}) {
    crash("a", "boom"_a);
    EXPECT_EQ(take(), (trace{"stop a boom"}));
    EXPECT_EQ(which()[0].state, child_state::restarting);
    advance(delay - 1ms);
    EXPECT_EQ(take(), trace{});
    advance(1ms);
    EXPECT_EQ(take(), (trace{"start a"}));
    EXPECT_EQ(which()[0].state, child_state::running);
  }
}

TEST_F(DelayedRestart, BeginsAnewAfterAHealthyTime) {
  start({waiting(child("a"))}, patient);
  crash("a", "boom"_a);
  advance(100ms);
  advance(10s);
  take();
  crash("a", "boom"_a);
  advance(100ms);
  EXPECT_EQ(take(), (trace{"stop a boom", "start a"}));
}

TEST_F(DelayedRestart, CountsAFailedStartAsAFailure) {
  start({waiting(child("a"))}, patient);
  take();
  world_.start_errors["a"] = {"one"_a, "two"_a};
  crash("a", "boom"_a);
  advance(100ms);
  advance(199ms);
  EXPECT_EQ(take(), (trace{"stop a boom", "fail a"}));
  advance(1ms);
  EXPECT_EQ(take(), (trace{"fail a"}));
  advance(400ms);
  EXPECT_EQ(take(), (trace{"start a"}));
  EXPECT_EQ(reports(), (trace{"progress a undefined", "child_terminated a boom",
                              "start_error a one", "start_error a two", "progress a undefined"}));
}

TEST_F(DelayedRestart, TellsHowLong) {
  start({waiting(child("a"))}, patient);
  reports();
  crash("a", "boom"_a);
  ASSERT_EQ(reports_.size(), 2u);
  EXPECT_EQ(reports_[1].kind, report_kind::restart_delayed);
  EXPECT_EQ(reports_[1].info, term{100});
  EXPECT_EQ(reports_[1].id, "a"_a);
}

TEST_F(DelayedRestart, CountsWhenItIsMade) {
  start({waiting(child("a"))}, {.intensity = 1, .period = 5s});
  crash("a", "boom"_a);
  advance(100ms);
  crash("a", "boom"_a);
  EXPECT_TRUE(log_.exits.empty()) << "it may be later than the period when it comes to it";
  advance(200ms);
  EXPECT_EQ(ended_with(), atoms::shutdown());
}

TEST_F(DelayedRestart, StopsTheSiblingsAtOnceAndStartsAllTogether) {
  start({child("a"), waiting(child("b")), child("c")},
        {.strategy = strategy::one_for_all, .intensity = 10});
  take();
  crash("b", "boom"_a);
  EXPECT_EQ(take(), (trace{"stop b boom", "stop c shutdown", "stop a shutdown"}));
  advance(99ms);
  EXPECT_EQ(take(), trace{});
  advance(1ms);
  EXPECT_EQ(take(), (trace{"start a", "start b", "start c"}));
}

TEST_F(DelayedRestart, IsTakenBackByAnEarlierSibling) {
  start({child("a"), waiting(child("b"))}, {.strategy = strategy::rest_for_one, .intensity = 10});
  crash("b", "boom"_a);
  take();
  crash("a", "boom"_a);
  EXPECT_EQ(take(), (trace{"stop a boom", "start a", "start b"}));
  advance(1s);
  EXPECT_EQ(take(), trace{}) << "not once more";
}

TEST_F(DelayedRestart, IsTakenBackByRequest) {
  start({waiting(child("a"))}, patient);
  crash("a", "boom"_a);
  EXPECT_EQ(ask(restart_child{"a"_a}).result, tuple_of(atoms::error(), "restarting"_a));
  EXPECT_EQ(ask(delete_child{"a"_a}).result, tuple_of(atoms::error(), "restarting"_a));
  EXPECT_TRUE(ask(terminate_child{"a"_a}).is_ok());
  take();
  EXPECT_TRUE(ask(restart_child{"a"_a}).is_ok());
  crash("a", "boom"_a); // waits 200 ms; the timer of the first wait would ring earlier
  take();
  advance(199ms);
  EXPECT_EQ(take(), trace{});
  advance(1ms);
  EXPECT_EQ(take(), (trace{"start a"}));
}

TEST_F(DelayedRestart, DoesNotHoldUpTheEnd) {
  start({waiting(child("a")), child("b")}, patient);
  crash("a", "boom"_a);
  take();
  stop();
  EXPECT_EQ(take(), (trace{"stop b shutdown"}));
  EXPECT_EQ(ended_with(), atoms::shutdown());
  advance(1s);
  EXPECT_EQ(take(), trace{});
}

TEST_F(DelayedRestart, DoesNotApplyToWhoIsNotRestarted) {
  start(
    {waiting(child("a", restart_type::transient)), waiting(child("b", restart_type::temporary))},
    patient);
  crash("a", atoms::normal());
  crash("b", "boom"_a);
  EXPECT_EQ(which()[0].state, child_state::undefined);
  EXPECT_EQ(count().specs, 1u);
  take();
  advance(1s);
  EXPECT_EQ(take(), trace{});
}

TEST_F(DelayedRestart, GoesAwayWithACodeChange) {
  start({waiting(child("a"))}, patient);
  crash("a", "boom"_a);
  EXPECT_TRUE(ask(code_change{supervisor_spec{patient, {child("a")}}}).is_ok());
  take();
  advance(100ms);
  EXPECT_EQ(take(), (trace{"start a"}));
  crash("a", "boom"_a);
  EXPECT_EQ(take(), (trace{"stop a boom", "start a"}));
}

TEST_F(DynamicDelayedRestart, OfAnyChild) {
  start({{.strategy = strategy::simple_one_for_one, .intensity = 10}, {waiting(child("a"))}});
  EXPECT_TRUE(ask(start_child{term{actors::list{}}}).is_ok());
  take();
  crash("a", "boom"_a);
  EXPECT_EQ(which()[0].state, child_state::restarting);
  EXPECT_EQ(count().active, 0u);
  world_.start_errors["a"] = {"one"_a};
  advance(100ms);
  EXPECT_EQ(take(), (trace{"stop a boom", "fail a"}));
  advance(199ms);
  EXPECT_EQ(take(), trace{});
  advance(1ms);
  EXPECT_EQ(take(), (trace{"start a"}));
  crash("a", "boom"_a);
  EXPECT_TRUE(ask(code_change{supervisor_spec{
                    {.strategy = strategy::simple_one_for_one, .intensity = 10}, {child("a")}}})
                .is_ok());
  advance(400ms);
  EXPECT_EQ(take(), (trace{"stop a boom", "start a"}));
}

TEST_F(ElixirDelayedRestart, IsTakenBackByRequest) {
  start(dynamic_options{.flags = {.intensity = 10}});
  const auto pid = ask(start_child{waiting(child("a"))}).pid;
  crash("a", "boom"_a);
  EXPECT_TRUE(ask(terminate_child{pid}).is_ok());
  EXPECT_EQ(count().specs, 0u);
  take();
  advance(1s);
  EXPECT_EQ(take(), trace{});
}

// -- a limit to the start -------------------------------------------------------------------------

TEST_F(DelayedRestart, AStartThatTakesTooLongHasFailed) {
  world_.never_answers["b"] = true;
  start({child("a"), limited(child("b")), child("c")});
  advance(299ms);
  EXPECT_TRUE(log_.acks.empty());
  advance(1ms);
  EXPECT_EQ(take(), (trace{"start a", "start b", "stop b killed", "stop a shutdown"}));
  EXPECT_EQ(result().value,
            tuple_of("shutdown"_a, tuple_of("failed_to_start_child"_a, "b"_a, "timeout"_a)));
}

TEST_F(DelayedRestart, AStartInTimeIsLeftAlone) {
  world_.never_answers["a"] = true;
  start({limited(child("a"))});
  advance(299ms);
  answer_start("a", {});
  EXPECT_EQ(result().how, start_kind::ok);
  take();
  advance(1s);
  EXPECT_EQ(take(), trace{});
}

TEST_F(DelayedRestart, ARestartThatTakesTooLongIsRetried) {
  start({limited(child("a"))}, patient);
  take();
  world_.never_answers["a"] = true;
  crash("a", "boom"_a);
  world_.never_answers["a"] = false;
  advance(300ms);
  EXPECT_EQ(take(), (trace{"stop a boom", "start a", "stop a killed", "start a"}));
  EXPECT_EQ(reports(), (trace{"progress a undefined", "child_terminated a boom",
                              "start_error a timeout", "progress a undefined"}));
}

/// Answers when it is killed.
class late_worker : public process {
 public:
  using process::process;

 protected:
  actors::start_result init() override { return {start_kind::pending}; }
  caf::message_handler receive() override {
    return {[](term&) {}};
  }
  void handle_kill() override {
    acknowledge({});
    process::handle_kill();
  }
};

TEST_F(DelayedRestart, AnAnswerThatComesTooLateCountsForNothing) {
  start(supervisor_options{});
  std::optional<term> answer;
  const child_spec late{.id = "a"_a, .start = start_of<late_worker>(), .start_timeout = 300ms};
  later(start_child{late}, [&](supervisor_reply reply) { answer = reply.result; });
  advance(300ms);
  ASSERT_TRUE(answer && answer->is_tuple("error", 2));
  EXPECT_EQ(count().specs, 0u);
}

TEST_F(DelayedRestart, AParentThatEndsDoesNotWaitForTheLimit) {
  world_.never_answers["a"] = true;
  start({limited(child("a"))});
  const auto supervisor = supervisor_;
  stop();
  EXPECT_EQ(take(), (trace{"start a", "stop a shutdown"}));
  advance(1s);
  EXPECT_EQ(take(), trace{});
}

TEST_F(ElixirDelayedRestart, AnAnswerThatComesTooLateCountsForNothing) {
  start(dynamic_options{});
  std::optional<term> answer;
  const child_spec late{.id = "a"_a, .start = start_of<late_worker>(), .start_timeout = 300ms};
  later(start_child{late}, [&](supervisor_reply reply) { answer = reply.result; });
  advance(300ms);
  EXPECT_EQ(answer, tuple_of(atoms::error(), "timeout"_a));
  EXPECT_EQ(count().specs, 0u);
}

/// Is up at once the first time and never again, and takes 100 ms to be killed.
class slow_to_die : public process {
 public:
  slow_to_die(caf::actor_config& config, int& starts) : process{config}, starts_{starts} {}

 protected:
  actors::start_result init() override {
    return {++starts_ == 1 ? start_kind::ok : start_kind::pending};
  }
  caf::message_handler receive() override {
    return {[this](term& reason) { exit(reason); }};
  }
  void handle_kill() override {
    run_after(this, 100ms, [this] { exit(atoms::killed()); });
  }

 private:
  int& starts_;
};

TEST_F(DelayedRestart, AParentThatEndsFindsOneThatIsBeingKilledForItsLimit) {
  world_.ignores_shutdown["c"] = true;
  int starts = 0;
  start({child("a"),
         {.id = "b"_a, .start = start_of<slow_to_die>(std::ref(starts)), .start_timeout = 300ms},
         child("c")});
  take();
  actors::post(which()[1].pid, term{"boom"_a});
  advance(350ms); // killed at 300, gone at 400
  EXPECT_EQ(starts, 2);
  stop();
  advance(10s);
  EXPECT_EQ(take(), (trace{"stop c killed", "stop a shutdown"}));
  EXPECT_EQ(ended_with(), atoms::shutdown());
}

TEST_F(DelayedRestart, ALimitHoldsForOneThatUnlinkedItself) {
  world_.never_answers["a"] = true;
  start({limited(child("a"))});
  actors::post(world_.actors.at("a"), unlink_parent{});
  advance(300ms);
  EXPECT_EQ(take(), (trace{"start a", "stop a killed"}));
  EXPECT_EQ(result().how, start_kind::stop);
}

TEST_F(ElixirDelayedRestart, AStartThatTakesTooLongHasFailed) {
  world_.never_answers["a"] = true;
  start(dynamic_options{});
  std::optional<term> answer;
  later(start_child{limited(child("a"))}, [&](supervisor_reply reply) { answer = reply.result; });
  advance(300ms);
  EXPECT_EQ(answer, tuple_of(atoms::error(), "timeout"_a));
  EXPECT_EQ(take(), (trace{"start a", "stop a killed"}));
  EXPECT_EQ(count().specs, 0u);
}

// -- siblings that come first ---------------------------------------------------------------------

TEST_F(DelayedRestart, StartsAfterSiblings) {
  start({after(child("web"), {"db"_a}), child("log"), child("db")});
  EXPECT_EQ(take(), (trace{"start log", "start db", "start web"}));
  stop();
  EXPECT_EQ(take(), (trace{"stop web shutdown", "stop db shutdown", "stop log shutdown"}));
}

TEST_F(DelayedRestart, ARestartWaitsForThatOfASibling) {
  start({waiting(child("db")), after(child("web"), {"db"_a})}, patient);
  take();
  crash("db", "boom"_a);
  crash("web", "boom"_a);
  EXPECT_EQ(take(), (trace{"stop db boom", "stop web boom"}));
  EXPECT_EQ(which()[0].state, child_state::restarting);
  world_.start_errors["db"] = {"one"_a};
  advance(100ms);
  EXPECT_EQ(take(), (trace{"fail db"}));
  advance(200ms);
  EXPECT_EQ(take(), (trace{"start db", "start web"}));
}

TEST_F(DelayedRestart, ARestartDoesNotWaitForASiblingThatIsTakenAway) {
  start({waiting(child("db")), after(child("web"), {"db"_a})}, patient);
  crash("db", "boom"_a);
  crash("web", "boom"_a);
  take();
  EXPECT_TRUE(ask(terminate_child{"db"_a}).is_ok());
  EXPECT_EQ(take(), (trace{"start web"}));
}

TEST_F(DelayedRestart, ARestartThatWaitsForASiblingIsTakenBackByRequest) {
  start({waiting(child("db")), after(child("web"), {"db"_a})}, patient);
  crash("db", "boom"_a);
  crash("web", "boom"_a);
  take();
  EXPECT_TRUE(ask(terminate_child{"web"_a}).is_ok());
  advance(100ms);
  EXPECT_EQ(take(), (trace{"start db"}));
}

TEST_F(DelayedRestart, RefusesSiblingsThatAreNone) {
  start({after(child("a"), {"b"_a})});
  EXPECT_EQ(result().value, tuple_of("start_spec"_a, tuple_of("invalid_start_after"_a, "b"_a)));
}

TEST_F(DelayedRestart, RefusesSiblingsThatAreNoneLaterAsWell) {
  start({child("a")});
  EXPECT_EQ(ask(start_child{after(child("b"), {"c"_a})}).result,
            tuple_of(atoms::error(), tuple_of("invalid_start_after"_a, "c"_a)));
  EXPECT_TRUE(ask(start_child{after(child("b"), {"a"_a})}).is_ok());
}

TEST_F(ElixirDelayedRestart, HasNoSiblings) {
  start(dynamic_options{});
  EXPECT_EQ(ask(start_child{after(child("a"), {"b"_a})}).result,
            tuple_of(atoms::error(), tuple_of("invalid_start_after"_a, list_of("b"_a))));
}

// -- as terms -------------------------------------------------------------------------------------

TEST(SpecTerm, HasWhatOtpHasNot) {
  const auto given = actors::map_of({{"id"_a, "a"_a},
                                     {"start"_a, tuple_of("m"_a, "f"_a, actors::list{})},
                                     {"backoff"_a, list_of(tuple_of("initial"_a, 5))},
                                     {"start_after"_a, list_of("b"_a)},
                                     {"start_timeout"_a, 100}});
  const auto resolve = [](const mfa&) { return start_function{}; };
  const auto spec = child_spec_from_term(given, resolve, std::nullopt);
  EXPECT_EQ(spec.backoff, backoff{.initial = 5ms});
  EXPECT_EQ(spec.start_after, std::vector<term>{"b"_a});
  EXPECT_EQ(spec.start_timeout, 100ms);
  const auto again = child_spec_from_term(to_term(spec), resolve, std::nullopt);
  EXPECT_EQ(again.backoff, spec.backoff);
  EXPECT_EQ(again.start_after, spec.start_after);
  EXPECT_EQ(again.start_timeout, spec.start_timeout);
}

TEST(SpecTerm, SaysWhatIsWrongWithIt) {
  const auto error = [](actors::atom key, const term& value) {
    const auto spec = actors::map_of({{"id"_a, "a"_a},
                                      {"start"_a, tuple_of("m"_a, "f"_a, actors::list{})},
                                      {std::move(key), value}});
    return check_childspecs(list_of(spec));
  };
  const auto refused = [](actors::atom what, const term& value) {
    return tuple_of(atoms::error(), tuple_of(std::move(what), value));
  };
  EXPECT_EQ(error("backoff"_a, 1), refused("invalid_backoff"_a, 1));
  EXPECT_EQ(error("start_after"_a, "b"_a), refused("invalid_start_after"_a, "b"_a));
  EXPECT_EQ(error("start_after"_a, list_of("b"_a)), refused("invalid_start_after"_a, "b"_a));
  EXPECT_EQ(error("start_after"_a, list_of("a"_a)), refused("start_after_cycle"_a, list_of("a"_a)));
  EXPECT_EQ(error("start_timeout"_a, -1), refused("invalid_start_timeout"_a, -1));
  EXPECT_EQ(error("start_timeout"_a, "soon"_a), refused("invalid_start_timeout"_a, "soon"_a));
  EXPECT_EQ(error("start_timeout"_a, atoms::infinity()), atoms::ok());
}

} // namespace
} // namespace penning::test
