#include "scripted_children.hpp"

#include <penning/supervision/dynamic_supervisor.hpp>

namespace penning::test {
namespace {

// What it does event for event is in tests/conformance; here is what only C++ sees of it.

class DynamicSupervisor : public supervised<dynamic_supervisor, dynamic_options> {
 protected:
  void begin(dynamic_options options = {}) {
    options.name = "top";
    start(std::move(options));
  }

  caf::actor add(const std::string& id, restart_type restart = restart_type::permanent) {
    return ask(start_child{child(id, restart)}).pid;
  }
};

TEST_F(DynamicSupervisor, StartsAndStopsChildrenByRequest) {
  begin();
  const auto a = add("a");
  const auto b = add("b");
  EXPECT_EQ(take(), (trace{"start a", "start b"}));
  EXPECT_EQ(count().active, 2u);
  EXPECT_EQ(ask(terminate_child{a}).result, atoms::ok());
  EXPECT_EQ(take(), (trace{"stop a shutdown"}));
  EXPECT_EQ(ask(terminate_child{a}).result, tuple_of("error"_a, "not_found"_a));
  ASSERT_EQ(which().size(), 1u);
  EXPECT_EQ(which()[0].pid, b);
  EXPECT_EQ(which()[0].id, atoms::undefined());
}

TEST_F(DynamicSupervisor, KnowsAProcessOnceThoughItWasStartedTwice) {
  begin();
  const auto a = add("a");
  auto same = child("a");
  same.start = [a](process&, const actors::list&) { return actors::started{a, {}}; };
  EXPECT_EQ(ask(start_child{same}).pid, a);
  EXPECT_EQ(count().specs, 1u);
  EXPECT_EQ(which().size(), 1u);
  EXPECT_TRUE(ask(terminate_child{a}).is_ok());
  EXPECT_TRUE(which().empty());
}

TEST_F(DynamicSupervisor, ListShowsWhatWasThenThoughChildrenGo) {
  begin();
  std::vector<caf::actor> all;
  for (int i = 0; i < 600; ++i)
    all.push_back(add("a" + std::to_string(i)));
  const auto list = which();
  for (const auto& each : all)
    ask(terminate_child{each});
  EXPECT_TRUE(which().empty());
  ASSERT_EQ(list.size(), 600u);
  EXPECT_EQ(list[599].pid, all[599]);
}

TEST_F(DynamicSupervisor, RestartsOneAmongManyInItsPlaceOfTheList) {
  begin();
  add("a");
  add("b");
  add("c");
  crash("a", "boom"_a);
  EXPECT_EQ(which().size(), 3u);
  for (const auto& each : which())
    EXPECT_TRUE(process::is_alive(each.pid));
  EXPECT_EQ(ask(terminate_child{world_.actors["a"]}).result, atoms::ok());
  EXPECT_EQ(which().size(), 2u);
}

TEST_F(DynamicSupervisor, DoesOneThingAtATime) {
  begin();
  world_.never_answers["slow"] = true;
  std::vector<std::string> answered;
  later(start_child{child("slow")}, [&](const supervisor_reply&) { answered.push_back("slow"); });
  later(start_child{child("quick")}, [&](const supervisor_reply&) { answered.push_back("quick"); });
  run();
  EXPECT_EQ(take(), (trace{"start slow"}));
  answer_start("slow", {});
  EXPECT_EQ(take(), (trace{"start quick"}));
  EXPECT_EQ(answered, (trace{"slow", "quick"}));
}

TEST_F(DynamicSupervisor, GivesUpAStartThatDoesNotReturnWhenItIsShutDown) {
  begin();
  add("a");
  world_.never_answers["b"] = true;
  later(start_child{child("b")}, [](const supervisor_reply&) { FAIL() << "answered"; });
  run();
  take();
  stop();
  auto ends = take();
  std::ranges::sort(ends);
  EXPECT_EQ(ends, (trace{"stop a shutdown", "stop b shutdown"}));
  EXPECT_EQ(errors_, std::vector<term>{atoms::shutdown()});
  EXPECT_EQ(ended_with(), atoms::shutdown());
}

TEST_F(DynamicSupervisor, TellsAFailedStartThatCameLate) {
  begin();
  world_.never_answers["a"] = true;
  std::optional<supervisor_reply> reply;
  later(start_child{child("a")}, [&](const supervisor_reply& r) { reply = r; });
  run();
  answer_start("a", {start_kind::stop, "no"_a});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->result, tuple_of("error"_a, "no"_a));
  EXPECT_TRUE(which().empty());
}

TEST_F(DynamicSupervisor, BoundsItsChildren) {
  begin({.max_children = 1});
  const auto a = add("a");
  EXPECT_EQ(ask(start_child{child("b")}).result, tuple_of("error"_a, "max_children"_a));
  ask(terminate_child{a});
  EXPECT_TRUE(ask(start_child{child("b")}).is_ok());
}

TEST_F(DynamicSupervisor, StopsEachWithinItsOwnTime) {
  world_.ignores_shutdown["a"] = world_.ignores_shutdown["b"] = true;
  begin();
  ask(start_child{child("a", restart_type::permanent, 200ms)});
  ask(start_child{child("b", restart_type::permanent, 100ms)});
  take();
  stop();
  advance(100ms);
  EXPECT_EQ(take(), (trace{"stop b killed"}));
  advance(100ms);
  EXPECT_EQ(take(), (trace{"stop a killed"}));
  EXPECT_EQ(ended_with(), atoms::shutdown());
}

TEST_F(DynamicSupervisor, RefusesFlagsThatItCannotHave) {
  begin({.flags = {.strategy = strategy::one_for_all}});
  EXPECT_EQ(result().how, start_kind::stop);
  EXPECT_EQ(result().value,
            tuple_of("supervisor_data"_a, tuple_of("invalid_strategy"_a, "one_for_all"_a)));
}

class SimpleOneForOne : public supervised<dynamic_supervisor> {};

TEST_F(SimpleOneForOne, GivesItsChildrenTheArgumentsOfTheRequest) {
  std::vector<term> seen;
  child_spec spec = child("t");
  spec.mfargs.arguments = actors::list_of(1);
  spec.start = [&seen, start = spec.start](process& self, const actors::list& arguments) {
    seen.push_back(arguments);
    return start(self, arguments);
  };
  start({spec}, {.strategy = strategy::simple_one_for_one});
  ASSERT_TRUE(ask(start_child{actors::list_of(2)}).is_ok());
  crash("t", "boom"_a);
  EXPECT_EQ(seen, (std::vector<term>(2, actors::list_of(1, 2)))) << "again at the restart";
}

TEST_F(SimpleOneForOne, IsNoStaticSupervisor) {
  start({child("t")}, {.strategy = strategy::one_for_one});
  EXPECT_EQ(result().how, start_kind::stop);
}

TEST_F(SimpleOneForOne, CannotRestartAChildThatWasTemporaryWhenItStarted) {
  constexpr sup_flags flags{.strategy = strategy::simple_one_for_one};
  start(supervisor_options{flags, {child("a", restart_type::temporary)}, "top"});
  EXPECT_TRUE(ask(start_child{term{actors::list{}}}).is_ok());
  EXPECT_TRUE(ask(code_change{supervisor_spec{flags, {child("a")}}}).is_ok());
  take();
  crash("a", "boom"_a);
  EXPECT_EQ(take(), (trace{"stop a boom"}));
  EXPECT_EQ(reports().at(1), "start_error a {'EXIT',badarg}");
  EXPECT_EQ(ended_with(), atoms::shutdown());
}

} // namespace
} // namespace penning::test
