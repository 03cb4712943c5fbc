#include "scripted_children.hpp"

namespace penning::test {
namespace {

using Supervisor = supervised<supervisor>;

TEST_F(Supervisor, StartsInOrderAndStopsInReverse) {
  start({child("a"), child("b"), child("c")});
  EXPECT_EQ(take(), (trace{"start a", "start b", "start c"}));
  EXPECT_EQ(result().how, actors::start_result::kind::ok);
  stop();
  EXPECT_EQ(take(), (trace{"stop c shutdown", "stop b shutdown", "stop a shutdown"}));
  EXPECT_EQ(ended_with(), atoms::shutdown());
}

TEST_F(Supervisor, RestartsOnlyTheOneThatEnded) {
  start({child("a"), child("b"), child("c")});
  take();
  crash("b", "boom"_a);
  EXPECT_EQ(take(), (trace{"stop b boom", "start b"}));
}

TEST_F(Supervisor, RestartsByType) {
  using enum restart_type;
  start({child("p", permanent), child("t", transient), child("u", transient), child("v", transient),
         child("x", temporary)},
        {.intensity = 10});
  take();
  crash("p", atoms::normal());
  EXPECT_EQ(take(), (trace{"stop p normal", "start p"}));
  crash("t", atoms::normal());
  EXPECT_EQ(take(), (trace{"stop t normal"}));
  crash("u", tuple_of("shutdown"_a, "bye"_a));
  EXPECT_EQ(take(), (trace{"stop u {shutdown,bye}"}));
  crash("v", tuple_of("shutdown"_a, "a"_a, "b"_a));
  EXPECT_EQ(take(), (trace{"stop v {shutdown,a,b}", "start v"}));
  crash("x", "boom"_a);
  EXPECT_EQ(take(), (trace{"stop x boom"}));
  const auto list = which();
  ASSERT_EQ(list.size(), 4u) << "the temporary one's specification is gone";
  EXPECT_EQ(list[0].id, "v"_a) << "latest start first";
  EXPECT_EQ(list[0].state, child_state::running);
  EXPECT_EQ(list[2].id, "t"_a);
  EXPECT_EQ(list[2].state, child_state::undefined);
}

TEST_F(Supervisor, GivesUpAfterTooManyRestarts) {
  start({child("a"), child("b")}, {.intensity = 2, .period = 5s});
  take();
  crash("b", "boom"_a);
  crash("b", "boom"_a);
  EXPECT_TRUE(log_.exits.empty());
  take();
  crash("b", "boom"_a);
  EXPECT_EQ(take(), (trace{"stop b boom", "stop a shutdown"}));
  EXPECT_EQ(ended_with(), atoms::shutdown());
}

TEST_F(Supervisor, ForgetsRestartsOutsideOfItsPeriod) {
  start({child("a")}, {.intensity = 1, .period = 5s});
  crash("a", "boom"_a);
  advance(7s);
  crash("a", "boom"_a);
  EXPECT_TRUE(log_.exits.empty());
  crash("a", "boom"_a);
  EXPECT_EQ(ended_with(), atoms::shutdown());
}

TEST_F(Supervisor, UndoesAStartThatFails) {
  world_.start_errors["c"] = {"boom"_a};
  start({child("a"), child("b"), child("c"), child("d")});
  EXPECT_EQ(take(), (trace{"start a", "start b", "fail c", "stop b shutdown", "stop a shutdown"}));
  const auto reason = tuple_of("shutdown"_a, tuple_of("failed_to_start_child"_a, "c"_a, "boom"_a));
  EXPECT_EQ(result().how, actors::start_result::kind::stop);
  EXPECT_EQ(result().value, reason);
  EXPECT_TRUE(log_.exits.empty()) << "the answer is enough";
}

TEST_F(Supervisor, CountsAndRetriesAFailedRestart) {
  start({child("a")}, {.intensity = 3, .period = 5s});
  take();
  world_.start_errors["a"] = {"boom"_a, "boom"_a};
  crash("a", "boom"_a);
  EXPECT_EQ(take(), (trace{"stop a boom", "fail a", "fail a", "start a"}));
  EXPECT_TRUE(log_.exits.empty());
  crash("a", "boom"_a);
  EXPECT_EQ(ended_with(), atoms::shutdown()) << "the three before were counted";
}

TEST_F(Supervisor, KillsAChildThatOutlivesItsTime) {
  world_.ignores_shutdown["a"] = true;
  start({child("a", restart_type::permanent, 100ms), child("b")});
  take();
  stop();
  EXPECT_EQ(take(), (trace{"stop b shutdown"}));
  advance(99ms);
  EXPECT_EQ(take(), trace{});
  advance(1ms);
  EXPECT_EQ(take(), (trace{"stop a killed"}));
  EXPECT_EQ(ended_with(), atoms::shutdown());
}

TEST_F(Supervisor, KillsAtOnceByBrutalKillAndWaitsForeverByInfinity) {
  world_.ignores_shutdown["a"] = world_.ignores_shutdown["b"] = true;
  start({child("a", restart_type::permanent, infinity{}),
         child("b", restart_type::permanent, brutal_kill{})});
  take();
  stop();
  EXPECT_EQ(take(), (trace{"stop b killed"}));
  advance(24h);
  EXPECT_EQ(take(), trace{});
  crash("a", "late"_a);
  EXPECT_EQ(ended_with(), atoms::shutdown());
}

TEST_F(Supervisor, CanBeShutDownDuringAStartThatNeverReturns) {
  world_.never_answers["b"] = true;
  start({child("a"), child("b"), child("c")});
  EXPECT_EQ(take(), (trace{"start a", "start b"}));
  EXPECT_TRUE(log_.acks.empty());
  later<children>(which_children{}, [](const children&) {});
  run();
  stop();
  EXPECT_EQ(take(), (trace{"stop b shutdown", "stop a shutdown"}));
  EXPECT_EQ(errors_, std::vector<term>{atoms::shutdown()});
}

TEST_F(Supervisor, HandlesWhatCameDuringTheStartAfterIt) {
  world_.never_answers["b"] = true;
  start({child("a"), child("b")}, {.intensity = 3});
  take();
  crash("a", "boom"_a);
  child_list seen;
  later<children>(which_children{}, [&](const children& c) { seen = c.list; });
  run();
  EXPECT_EQ(take(), (trace{"stop a boom"})) << "it still starts";
  actors::post(supervisor_, actors::init_ack{world_.actors["b"].address(), atoms::ok()});
  run();
  EXPECT_EQ(take(), (trace{"start a"}));
  EXPECT_EQ(seen.size(), 2u);
}

TEST_F(Supervisor, DropsATemporaryChildWhoseStartIgnores) {
  world_.ignores_start["t"] = world_.ignores_start["p"] = true;
  start({child("p"), child("t", restart_type::temporary), child("a")});
  EXPECT_EQ(take(), (trace{"start a"}));
  const auto list = which();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].id, "a"_a);
  EXPECT_EQ(list[1].id, "p"_a);
  EXPECT_EQ(list[1].state, child_state::undefined);
}

TEST_F(Supervisor, StopsItsChildrenInOrderWhenTheOneAboveItIsKilled) {
  supervisor_options inner{{}, {child("x"), child("y")}, "inner"};
  start({nested(inner)});
  take();
  actors::send_exit(supervisor_, {}, atoms::kill());
  run();
  EXPECT_EQ(take(), (trace{"stop y shutdown", "stop x shutdown"}));
  EXPECT_EQ(ended_with(), atoms::killed());
}

TEST_F(Supervisor, IsNotDisturbedByAStranger) {
  start({child("a")});
  take();
  actors::send_exit(supervisor_, {}, "boom"_a);
  run();
  EXPECT_EQ(take(), trace{});
  EXPECT_EQ(which().size(), 1u);
}

TEST_F(Supervisor, RestartsAndStopsANestedOneAsAWhole) {
  const auto inner = [this] {
    supervisor_options options{{.intensity = 0}, {child("x"), child("y")}, "inner"};
    return nested(options);
  };
  start({child("a"), inner()});
  EXPECT_EQ(take(), (trace{"start a", "start x", "start y"}));
  crash("x", "boom"_a); // more than the inner one bears
  EXPECT_EQ(take(), (trace{"stop x boom", "stop y shutdown", "start x", "start y"}));
  stop();
  EXPECT_EQ(take(), (trace{"stop y shutdown", "stop x shutdown", "stop a shutdown"}));
}

TEST_F(Supervisor, ReportsAsOtpDoes) {
  start({child("a"), child("b", restart_type::transient)}, {.intensity = 1});
  EXPECT_EQ(reports(), (trace{"progress a undefined", "progress b undefined"}));
  crash("b", atoms::normal());
  EXPECT_EQ(reports(), trace{});
  world_.start_errors["a"] = {"no"_a};
  crash("a", atoms::normal());
  EXPECT_EQ(reports(), (trace{"child_terminated a normal", "start_error a no",
                              "shutdown a reached_max_restart_intensity"}));
}

TEST_F(Supervisor, ReportsWhatOtpDoesWithoutAWord) {
  start({child("a"), child("b", restart_type::transient)});
  reports();
  crash("b", atoms::normal());
  EXPECT_EQ(reports(true), (trace{"child_ended b normal"}));
  stop();
  EXPECT_EQ(reports(true),
            (trace{"child_stopped a shutdown", "supervisor_ended undefined shutdown"}));
}

TEST_F(Supervisor, ReportsToEveryoneWhoSubscribes) {
  probe::log log;
  std::vector<report> seen;
  const auto other = spawn<top>(log, seen);
  subscribe_reports(other);
  start({child("a")});
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].kind, report_kind::progress);
  EXPECT_EQ(seen[0].supervisor, "top");
  EXPECT_EQ(seen[0].supervisor_pid, supervisor_.address());
  EXPECT_EQ(seen[0].pid, world_.actors["a"].address());
  unsubscribe_reports(other);
  crash("a", "boom"_a);
  EXPECT_EQ(seen.size(), 1u);
  actors::send_exit(other, {}, atoms::kill());
  run();
}

TEST_F(Supervisor, ReportsHaveOtpsForm) {
  start({child("a")});
  reports();
  crash("a", "boom"_a);
  EXPECT_FALSE(reports_.empty());
  const auto text = to_string(to_term(reports_.front()));
  EXPECT_EQ(text.find("[{supervisor,<<\"top\">>},{errorContext,child_terminated},{reason,boom},"
                      "{offender,[{pid,<0."),
            0u)
    << text;
  EXPECT_NE(text.find("{id,a},{mfargs,{penning,start_link,[]}},{restart_type,permanent},"
                      "{significant,false},{shutdown,5000},{child_type,worker}]"),
            std::string::npos)
    << text;
}

TEST_F(Supervisor, ReportsAChildThatEndsOtherwiseThanAsked) {
  world_.ignores_shutdown["a"] = true;
  start({child("a", restart_type::permanent, 0ms), child("b")});
  reports();
  stop();
  advance(1ms);
  EXPECT_EQ(reports(), (trace{"shutdown_error a killed"}));
}

TEST_F(Supervisor, CountsChildren) {
  supervisor_options inner{{}, {child("x")}, "inner"};
  start({child("a"), child("t", restart_type::temporary), nested(inner)});
  const auto counts = count();
  EXPECT_EQ(counts.specs, 3u);
  EXPECT_EQ(counts.active, 3u);
  EXPECT_EQ(counts.supervisors, 1u);
  EXPECT_EQ(counts.workers, 2u);
}

// -- strategies, where starts take their time; the rest of them is in tests/conformance ----------

TEST_F(Supervisor, RestartsAllOneAfterTheOtherThoughEachTakesItsTime) {
  start({child("a"), child("b"), child("c")}, {.strategy = strategy::one_for_all});
  take();
  world_.never_answers["a"] = world_.never_answers["b"] = true;
  crash("b", "boom"_a);
  EXPECT_EQ(take(), (trace{"stop b boom", "stop c shutdown", "stop a shutdown", "start a"}));
  answer_start("a", {});
  EXPECT_EQ(take(), (trace{"start b"}));
  answer_start("b", {});
  EXPECT_EQ(take(), (trace{"start c"}));
  EXPECT_EQ(count().active, 3u);
}

TEST_F(Supervisor, RetriesFromTheChildWhoseStartFailedLate) {
  start({child("a"), child("b"), child("c")}, {.strategy = strategy::rest_for_one, .intensity = 2});
  take();
  world_.never_answers["b"] = true;
  crash("a", "boom"_a);
  EXPECT_EQ(take(),
            (trace{"stop a boom", "stop c shutdown", "stop b shutdown", "start a", "start b"}));
  answer_start("b", {start_kind::stop, "no"_a});
  EXPECT_EQ(take(), (trace{"stop b no", "start b"})) << "and a stays";
  answer_start("b", {});
  EXPECT_EQ(take(), (trace{"start c"}));
}

TEST_F(Supervisor, GivesUpARestartThatDoesNotReturnWhenItIsShutDown) {
  start({child("a"), child("b")}, {.strategy = strategy::one_for_all});
  take();
  world_.never_answers["a"] = true;
  crash("b", "boom"_a);
  EXPECT_EQ(take(), (trace{"stop b boom", "stop a shutdown", "start a"}));
  stop();
  EXPECT_EQ(take(), (trace{"stop a shutdown"}));
  EXPECT_EQ(ended_with(), atoms::shutdown());
}

TEST_F(Supervisor, ShutDownWhileItStopsAChildStopsTheRestAfterIt) {
  world_.ignores_shutdown["b"] = true;
  start({child("a"), child("b", restart_type::permanent, 100ms)});
  take();
  std::optional<supervisor_reply> reply;
  later(terminate_child{"b"_a}, [&](const supervisor_reply& r) { reply = r; });
  run();
  stop();
  EXPECT_EQ(take(), trace{});
  EXPECT_FALSE(reply);
  advance(100ms);
  EXPECT_EQ(take(), (trace{"stop b killed", "stop a shutdown"}));
  EXPECT_TRUE(reply) << "it came before the end";
}

// -- requests -------------------------------------------------------------------------------------

TEST_F(Supervisor, AddsAChildWhoseStartTakesItsTime) {
  start({child("a")});
  world_.never_answers["b"] = true;
  std::optional<supervisor_reply> reply;
  later(start_child{child("b")}, [&](const supervisor_reply& r) { reply = r; });
  run();
  EXPECT_FALSE(reply);
  answer_start("b", {start_kind::ok, 42});
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->is_ok());
  EXPECT_EQ(reply->pid, world_.actors["b"]);
  EXPECT_EQ(reply->result, tuple_of("ok"_a, actors::to_pid(reply->pid.address()), 42));
  EXPECT_EQ(which()[0].id, "b"_a);
}

TEST_F(Supervisor, ForgetsAnAddedChildWhoseStartFails) {
  start({child("a")});
  world_.start_errors["b"] = {"boom"_a};
  const auto reply = ask(start_child{child("b")});
  EXPECT_FALSE(reply.is_ok());
  EXPECT_TRUE(reply.result.is_tuple("error", 2));
  EXPECT_EQ(which().size(), 1u);
  EXPECT_TRUE(ask(start_child{child("b")}).is_ok()) << "its id is free";
}

TEST_F(Supervisor, TellsWhoseProcessHasTheIdAlready) {
  start({child("a")});
  const auto reply = ask(start_child{child("a")});
  EXPECT_EQ(reply.pid, world_.actors["a"]);
  EXPECT_FALSE(reply.is_ok());
}

TEST_F(Supervisor, WhoAskedForAStartIsToldThatItWasGivenUp) {
  start({child("a")});
  world_.never_answers["b"] = true;
  later(start_child{child("b")}, [](const supervisor_reply&) { FAIL() << "answered"; });
  run();
  stop();
  EXPECT_EQ(errors_, std::vector<term>{atoms::shutdown()});
}

TEST_F(Supervisor, StopsAChildThatHasUnlinkedItself) {
  start({child("a")});
  take();
  actors::post(world_.actors["a"], unlink_parent{});
  run();
  EXPECT_EQ(ask(terminate_child{"a"_a}).result, atoms::ok());
  EXPECT_EQ(take(), (trace{"stop a shutdown"}));
}

TEST_F(Supervisor, DoesNotHearOfAnUnlinkedChildsEnd) {
  start({child("a")});
  take();
  actors::post(world_.actors["a"], unlink_parent{});
  run();
  crash("a", "boom"_a);
  EXPECT_EQ(take(), (trace{"stop a boom"}));
  EXPECT_EQ(which()[0].state, child_state::running);
  EXPECT_EQ(count().active, 0u);
  reports();
  EXPECT_EQ(ask(terminate_child{"a"_a}).result, atoms::ok());
  EXPECT_EQ(reports(), (trace{"shutdown_error a noproc"}));
}

TEST_F(Supervisor, AnswersAStopOnceItsChildrenAreDown) {
  world_.ignores_shutdown["a"] = true;
  start({child("a", restart_type::permanent, 100ms)});
  std::optional<supervisor_reply> reply;
  later(supervision::stop{"enough"_a}, [&](const supervisor_reply& r) { reply = r; });
  run();
  EXPECT_FALSE(reply);
  advance(100ms);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->result, atoms::ok());
  EXPECT_EQ(ended_with(), "enough"_a);
}

TEST_F(Supervisor, HandlesNothingWhileItIsSuspended) {
  start({child("a")});
  take();
  ask(suspend{});
  crash("a", "boom"_a);
  EXPECT_EQ(take(), (trace{"stop a boom"}));
  ask(resume{});
  EXPECT_EQ(take(), (trace{"start a"}));
}

TEST_F(Supervisor, TakesNewSpecificationsInTheirOrderAndKeepsOthersBehind) {
  start({child("a"), child("b"), child("c")});
  take();
  supervisor_spec next{{.intensity = 5},
                       {child("c", restart_type::transient), child("n"), child("b")}};
  EXPECT_EQ(ask(code_change{next}).result, atoms::ok());
  EXPECT_EQ(take(), trace{}) << "nothing is started or stopped";
  std::string order;
  for (const auto& each : which())
    order += to_string(each.id);
  EXPECT_EQ(order, "abnc") << "latest first";
  crash("c", atoms::normal());
  EXPECT_EQ(take(), (trace{"stop c normal"})) << "transient now";
}

TEST_F(Supervisor, KeepsWhatItHasIfNewSpecificationsAreBad) {
  start({child("a")});
  EXPECT_EQ(ask(code_change{supervisor_spec{{.period = 0s}, {}}}).result,
            tuple_of("error"_a, tuple_of("invalid_period"_a, 0)));
  EXPECT_EQ(ask(code_change{"what"_a}).result, "what"_a);
  EXPECT_EQ(ask(code_change{"ignore"_a}).result, atoms::ok());
  EXPECT_EQ(which().size(), 1u);
}

TEST_F(Supervisor, RefusesBadSpecifications) {
  const auto refusal = [](sup_flags flags, const std::vector<child_spec>& specs) -> std::string {
    try {
      validate({flags, specs});
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "none";
  };
  EXPECT_EQ(refusal({.period = 0s}, {}), "{supervisor_data,{invalid_period,0}}");
  EXPECT_EQ(refusal({}, {child("a"), child("a")}), "{start_spec,{duplicate_child_name,a}}");
  EXPECT_EQ(refusal({}, {child("a", restart_type::permanent, -1ms)}),
            "{start_spec,{invalid_shutdown,-1}}");
  EXPECT_EQ(refusal({}, {{.id = "a"_a, .start = {}}}), "{start_spec,missing_start}");
  EXPECT_EQ(refusal({}, {child("a")}), "none");
}

// -- found by reading -----------------------------------------------------------------------------

TEST_F(Supervisor, AsksEachChildToEndOnce) {
  world_.ignores_shutdown = {{"a", true}, {"b", true}, {"c", true}};
  start({child("a"), child("b"), child("c")});
  later(terminate_child{"a"_a}, [](const auto&) {});
  later(terminate_child{"b"_a}, [](const auto&) {});
  advance(10s);
  EXPECT_EQ(world_.asked, (trace{"a", "b"}));
}

TEST_F(Supervisor, AsksEachChildToEndOnceWhenItsStartFails) {
  world_.ignores_shutdown = {{"a", true}, {"b", true}};
  world_.start_errors["d"] = {"boom"_a};
  start({child("a"), child("b"), child("d")});
  advance(20s);
  EXPECT_EQ(world_.asked, (trace{"b", "a"}));
}

/// While it is busy, so that all of them wait for their turn.
TEST_F(Supervisor, HandlesSystemMessagesBehindAQueuedSuspend) {
  world_.ignores_shutdown["a"] = true;
  start({child("a")});
  std::vector<term> answers;
  const auto remember = [&](supervisor_reply reply) { answers.push_back(reply.result); };
  later(terminate_child{"a"_a}, remember);
  later(suspend{}, remember);
  later(delete_child{"a"_a}, remember); // waits for the resume
  later(code_change{"ignore"_a}, remember);
  advance(5s);
  EXPECT_EQ(answers.size(), 3u);
  later(supervision::resume{}, remember);
  run();
  EXPECT_EQ(answers, (std::vector<term>(5, atoms::ok())));
}

TEST_F(Supervisor, EndsWithItsParentThoughASuspendIsQueued) {
  world_.ignores_shutdown["a"] = true;
  start({child("a"), child("b")});
  later(terminate_child{"a"_a}, [](const auto&) {});
  later(suspend{}, [](const auto&) {});
  run();
  stop();
  advance(5s);
  EXPECT_EQ(ended_with(), atoms::shutdown());
}

TEST_F(Supervisor, RefusesATermThatNobodyCanResolve) {
  const auto spec =
    actors::map_of({{"id"_a, "x"_a}, {"start"_a, tuple_of("m"_a, "f"_a, actors::list{})}});
  start({child("a")});
  const auto refused =
    tuple_of(atoms::error(), tuple_of("invalid_mfa"_a, tuple_of("m"_a, "f"_a, actors::list{})));
  EXPECT_EQ(ask(start_child{spec}).result, refused);
  EXPECT_EQ(
    ask(code_change{tuple_of(atoms::ok(), tuple_of(actors::map_of({}), actors::list_of(spec)))})
      .result,
    refused);
  EXPECT_EQ(count().active, 1u);
}

TEST_F(Supervisor, RefusesATermThatItsResolverThrowsAt) {
  const auto spec =
    actors::map_of({{"id"_a, "x"_a}, {"start"_a, tuple_of("m"_a, "f"_a, actors::list{})}});
  start({.flags = {},
         .children = {child("a")},
         .name = "top",
         .resolve = [](const mfa&) -> start_function { throw std::runtime_error{"no"}; }});
  EXPECT_EQ(ask(start_child{spec}).result, tuple_of(atoms::error(), tuple_of("exception"_a, "no")));
  EXPECT_EQ(count().active, 1u);
}

TEST_F(Supervisor, EndsThoughTwoChildrenAreOneProcess) {
  auto same = child("b");
  same.start = [this](process&, const actors::list&) {
    return actors::started{world_.actors.at("a"), {}};
  };
  start({child("a"), same});
  take();
  stop();
  EXPECT_EQ(take(), (trace{"stop a shutdown"}));
  EXPECT_EQ(ended_with(), atoms::shutdown());
}

TEST_F(Supervisor, KeepsNoMemoryAfterAStopThatWantsNoAnswer) {
  start({child("a")});
  const auto address = supervisor_.address();
  actors::post(supervisor_, supervision::stop{});
  supervisor_ = nullptr;
  run();
  log_ = {};
  reports_.clear();
  EXPECT_FALSE(caf::actor_cast<caf::actor>(address));
}

} // namespace
} // namespace penning::test
