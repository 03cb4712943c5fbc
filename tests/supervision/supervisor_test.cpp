#include "support/deterministic.hpp"

#include <penning/supervision/supervisor.hpp>

#include <functional>
#include <map>
#include <string>

namespace penning::test {
namespace {

using namespace supervision;
using actors::process;

/// What happened, in order, as `start a`, `stop a shutdown`; and how starts shall go.
struct world {
  std::vector<std::string> trace;
  std::map<std::string, std::vector<term>> start_errors; // taken from the front, one per start
  std::map<std::string, caf::actor> actors;
  std::map<std::string, bool> ignores_shutdown, ignores_start, never_answers;
};

class worker : public process {
 public:
  worker(caf::actor_config& config, world& w, std::string id)
      : process{config},
        world_{w},
        id_{std::move(id)} {
    trap_exit(true);
  }

 protected:
  actors::start_result init() override {
    world_.actors[id_] = caf::actor{this};
    if (auto& errors = world_.start_errors[id_]; !errors.empty()) {
      auto reason = errors.front();
      errors.erase(errors.begin());
      world_.trace.push_back("fail " + id_);
      failed_ = true;
      return {actors::start_result::kind::stop, reason};
    }
    if (world_.ignores_start[id_]) {
      failed_ = true;
      return {actors::start_result::kind::ignore, {}};
    }
    world_.trace.push_back("start " + id_);
    if (world_.never_answers[id_])
      return {actors::start_result::kind::pending};
    return {};
  }

  caf::message_handler receive() override {
    return {[this](term& reason) { exit(reason); }};
  }

  void handle_exit(const caf::actor_addr&, const term& reason) override {
    if (!world_.ignores_shutdown[id_])
      exit(reason);
  }

  void terminate(const term& reason) override {
    if (!failed_)
      world_.trace.push_back("stop " + id_ + " " + to_string(reason));
    world_.actors.erase(id_);
  }

 private:
  world& world_;
  std::string id_;
  bool failed_ = false;
};

/// The parent, who hears the reports as well.
class top : public probe {
 public:
  top(caf::actor_config& config, probe::log& signals, std::vector<report>& reports)
      : probe{config, signals, true},
        reports_{reports} {}

  caf::message_handler receive() override {
    return caf::message_handler{[this](report& r) { reports_.push_back(r); }}.or_else(
      probe::receive());
  }

 private:
  std::vector<report>& reports_;
};

class Supervisor : public deterministic {
 protected:
  using trace = std::vector<std::string>;

  Supervisor() { parent_ = spawn<top>(log_, reports_); }

  ~Supervisor() override {
    supervisor_ = nullptr;
    actors::send_exit(parent_, {}, atoms::kill());
    advance(10s);
    for (auto& [id, actor] : world{world_}.actors)
      actors::send_exit(actor, {}, atoms::kill());
    world_.actors.clear();
    run();
  }

  child_spec child(const std::string& id, restart_type restart = restart_type::permanent,
                   shutdown_policy shutdown = 5000ms) {
    return {actors::atom{id}, start_of<worker>(std::ref(world_), id), restart, shutdown,
            child_type::worker};
  }

  void start(std::vector<child_spec> children, sup_flags flags = {}) {
    supervisor_options options{flags, std::move(children), "top", parent_};
    actors::post(parent_, probe::step{[&](probe& self) {
                   supervisor_ = self.start_link<supervisor>(options);
                 }});
    run();
  }

  void crash(const std::string& id, term reason) {
    actors::post(world_.actors.at(id), std::move(reason));
    run();
  }

  void stop(term reason = atoms::shutdown()) {
    actors::send_exit(supervisor_, parent_.address(), std::move(reason));
    run();
  }

  children which() {
    children result;
    actors::post(parent_, probe::step{[&](probe& self) {
                   actors::request(&self, supervisor_, which_children{}).then([&](children& c) {
                     result = c;
                   });
                 }});
    run();
    return result;
  }

  trace take() { return std::exchange(world_.trace, {}); }

  term ended_with() const { return log_.exits.empty() ? term{} : log_.exits.back().second; }

  /// Kind, child and reason of each report since the last call.
  trace reports() {
    trace result;
    for (const auto& r : std::exchange(reports_, {}))
      result.push_back(to_string(r.kind) + " " + to_string(r.id) + " " + to_string(r.reason));
    return result;
  }

  world world_;
  probe::log log_;
  std::vector<report> reports_;
  caf::actor parent_, supervisor_;
};

TEST_F(Supervisor, StartsInOrderAndStopsInReverse) {
  start({child("a"), child("b"), child("c")});
  EXPECT_EQ(take(), (trace{"start a", "start b", "start c"}));
  ASSERT_EQ(log_.acks.size(), 1u);
  EXPECT_EQ(log_.acks[0].second, atoms::ok());
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
  const auto list = which().list;
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
  ASSERT_EQ(log_.acks.size(), 1u);
  EXPECT_EQ(log_.acks[0].second, tuple_of(atoms::error(), reason));
  EXPECT_EQ(ended_with(), reason);
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
  std::vector<term> answers;
  actors::post(parent_, probe::step{[&](probe& self) {
                 actors::request(&self, supervisor_, which_children{})
                   .then([](children&) {},
                         [&](const caf::error& e) { answers.push_back(actors::reason_from(e)); });
               }});
  stop();
  EXPECT_EQ(take(), (trace{"stop b shutdown", "stop a shutdown"}));
  EXPECT_EQ(answers, std::vector<term>{atoms::noproc()});
}

TEST_F(Supervisor, HandlesWhatCameDuringTheStartAfterIt) {
  world_.never_answers["b"] = true;
  start({child("a"), child("b")}, {.intensity = 3});
  take();
  crash("a", "boom"_a);
  children seen;
  actors::post(
    parent_, probe::step{[&](probe& self) {
      actors::request(&self, supervisor_, which_children{}).then([&](children& c) { seen = c; });
    }});
  run();
  EXPECT_EQ(take(), (trace{"stop a boom"})) << "it still starts";
  actors::post(supervisor_, actors::init_ack{world_.actors["b"].address(), atoms::ok()});
  run();
  EXPECT_EQ(take(), (trace{"start a"}));
  EXPECT_EQ(seen.list.size(), 2u);
}

TEST_F(Supervisor, DropsATemporaryChildWhoseStartIgnores) {
  world_.ignores_start["t"] = world_.ignores_start["p"] = true;
  start({child("p"), child("t", restart_type::temporary), child("a")});
  EXPECT_EQ(take(), (trace{"start a"}));
  const auto list = which().list;
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].id, "a"_a);
  EXPECT_EQ(list[1].id, "p"_a);
  EXPECT_EQ(list[1].state, child_state::undefined);
}

TEST_F(Supervisor, StopsItsChildrenInOrderWhenTheOneAboveItIsKilled) {
  supervisor_options inner{{}, {child("x"), child("y")}, "inner", nullptr};
  start({{"inner"_a, start_of<supervisor>(inner), restart_type::permanent, infinity{},
          child_type::supervisor}});
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
  EXPECT_EQ(which().list.size(), 1u);
}

TEST_F(Supervisor, RestartsAndStopsANestedOneAsAWhole) {
  const auto inner = [this] {
    supervisor_options options{{.intensity = 0}, {child("x"), child("y")}, "inner", parent_};
    return child_spec{"inner"_a, start_of<supervisor>(options), restart_type::permanent, infinity{},
                      child_type::supervisor};
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

TEST_F(Supervisor, ReportsAChildThatEndsOtherwiseThanAsked) {
  world_.ignores_shutdown["a"] = true;
  start({child("a", restart_type::permanent, 0ms), child("b")});
  reports();
  stop();
  advance(1ms);
  EXPECT_EQ(reports(), (trace{"shutdown_error a killed"}));
}

TEST_F(Supervisor, CountsChildren) {
  supervisor_options inner{{}, {child("x")}, "inner", nullptr};
  start({child("a"),
         child("t", restart_type::temporary),
         {"s"_a, start_of<supervisor>(inner), restart_type::permanent, infinity{},
          child_type::supervisor}});
  child_counts counts;
  actors::post(parent_, probe::step{[&](probe& self) {
                 actors::request(&self, supervisor_, count_children{}).then([&](child_counts& c) {
                   counts = c;
                 });
               }});
  run();
  EXPECT_EQ(counts.specs, 3u);
  EXPECT_EQ(counts.active, 3u);
  EXPECT_EQ(counts.supervisors, 1u);
  EXPECT_EQ(counts.workers, 2u);
}

TEST_F(Supervisor, RefusesBadSpecifications) {
  const auto refusal = [](sup_flags flags, const std::vector<child_spec>& specs) -> std::string {
    try {
      validate(flags, specs);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "none";
  };
  EXPECT_EQ(refusal({.period = 0s}, {}), "period 0 s: must be at least 1");
  EXPECT_EQ(refusal({}, {child("a"), child("a")}), "child a: the id occurs twice");
  EXPECT_EQ(refusal({}, {child("a", restart_type::permanent, -1ms)}),
            "child a: shutdown -1 ms: must be from 0 to 4294967295");
  EXPECT_EQ(refusal({}, {{.id = "a"_a, .start = {}}}), "child a: no start function");
  EXPECT_EQ(refusal({}, {child("a")}), "none");
}

} // namespace
} // namespace penning::test
