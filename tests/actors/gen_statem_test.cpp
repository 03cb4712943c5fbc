#include "support/deterministic.hpp"

#include <penning/actors/gen_statem.hpp>

#include <functional>
#include <string>

namespace penning::test {
namespace {

using namespace actors;

struct note {
  std::string text;
};
struct ask {
  using reply = std::string;
  std::string text;
};

/// What a test wants its state machine to do, and what happened to it.
struct script {
  using step = std::function<transition<struct machine>(const std::string&)>;
  std::vector<std::string> calls;
  step on_note, on_ask, on_enter;
  std::vector<from<std::string>> callers;
};

struct machine {
  using state = std::string;
  using step = transition<machine>;

  explicit machine(script& s) : script_{s} {}

  state init() { return "a"; }
  step handle_event(const state& s, const note& event) {
    script_.calls.push_back(s + " note " + event.text);
    return script_.on_note ? script_.on_note(s + event.text) : step::keep();
  }
  step handle_event(const state& s, const ask& event, from<std::string>& caller) {
    script_.calls.push_back(s + " ask " + event.text);
    script_.callers.push_back(caller);
    return script_.on_ask ? script_.on_ask(s + event.text) : step::keep();
  }
  step handle_event(const state& s, const actors::call& event, from<term>& caller) {
    caller.reply(tuple_of(s, event.request));
    return step::keep();
  }
  void handle_event(const state& s, const actors::cast& event) {
    script_.calls.push_back(s + " cast " + to_string(event.request));
  }
  void handle_event(const state& s, const term& event) {
    script_.calls.push_back(s + " info " + to_string(event));
  }
  void handle_event(const state& s, state_timeout) {
    script_.calls.push_back(s + " state_timeout");
  }
  void handle_event(const state& s, event_timeout) { script_.calls.push_back(s + " timeout"); }
  void handle_event(const state& s, const named_timeout& t) {
    script_.calls.push_back(s + " timeout " + to_string(t.name));
  }
  step handle_event(const state& s, const entered<state>& e) {
    if (!script_.on_enter)
      return step::keep();
    script_.calls.push_back(s + " entered from " + e.from);
    return script_.on_enter(s);
  }
  void terminate(const term& reason) { script_.calls.push_back("terminate " + to_string(reason)); }

 private:
  script& script_;
};

class GenStatem : public deterministic {
 protected:
  using calls = std::vector<std::string>;
  using step = machine::step;
  using server = gen_statem<machine>;

  GenStatem() { parent_ = spawn<probe>(log_, true); }
  ~GenStatem() override {
    script_.callers.clear();
    send_exit(parent_, {}, atoms::kill());
    run();
  }

  void start() {
    post(parent_, probe::step{[&](probe& self) {
           server_ = server::ref{self.start_link<server>(script_).pid};
         }});
    run();
  }

  void notes(std::initializer_list<const char*> texts) {
    for (const auto* text : texts)
      server_.cast(note{text});
    run();
  }

  script script_;
  probe::log log_;
  caf::actor parent_;
  server::ref server_;
};

TEST_F(GenStatem, GivesEventsToItsStateAndKeepsIt) {
  start();
  notes({"1", "2"});
  server_.cast("x"_a);
  server_.send("y"_a);
  run();
  EXPECT_EQ(script_.calls, (calls{"a note 1", "a note 2", "a cast x", "a info y"}));
}

TEST_F(GenStatem, RepliesToCallsNowOrLater) {
  start();
  std::string reply;
  term term_reply;
  post(parent_, probe::step{[&](probe& self) {
         server_.call(&self, ask{"1"}).then([&](const std::string& r) { reply = r; });
         server_.call(&self, 7).then([&](const term& r) { term_reply = r; });
       }});
  run();
  EXPECT_EQ(reply, "");
  EXPECT_EQ(term_reply, tuple_of("a", 7));
  script_.on_note = [&](const std::string&) {
    script_.callers.at(0).reply("later");
    return step::keep();
  };
  notes({"now"});
  EXPECT_EQ(reply, "later");
}

TEST_F(GenStatem, RetriesWhatItPostponedAfterAStateChangeBeforeNewEventsInOrder) {
  script_.on_note = [](const std::string& what) {
    if (what == "ago")
      return step::next("b");
    return what.starts_with("a") ? step::keep().postpone() : step::keep();
  };
  start();
  notes({"1", "2", "go", "3"});
  EXPECT_EQ(script_.calls,
            (calls{"a note 1", "a note 2", "a note go", "b note 1", "b note 2", "b note 3"}));
}

TEST_F(GenStatem, RetriesNothingWithoutAStateChange) {
  script_.on_note = [](const std::string& what) {
    return what == "a1" ? step::keep().postpone() : step::next("a");
  };
  start();
  notes({"1", "2"});
  EXPECT_EQ(script_.calls, (calls{"a note 1", "a note 2"}));
}

TEST_F(GenStatem, RetriesAnEventThatChangedTheStateAndWasPostponed) {
  script_.on_note = [](const std::string& what) {
    return what == "a1" ? step::next("b").postpone() : step::keep();
  };
  start();
  notes({"1", "2"});
  EXPECT_EQ(script_.calls, (calls{"a note 1", "b note 1", "b note 2"}));
}

TEST_F(GenStatem, HandlesInsertedEventsFirstBeforeRetriedOnes) {
  script_.on_note = [](const std::string& what) {
    if (what == "a1")
      return step::keep().postpone();
    if (what == "a2")
      return step::next("b").next_event(note{"x"}).next_event(note{"y"});
    return step::keep();
  };
  start();
  notes({"1", "2", "3"});
  EXPECT_EQ(script_.calls,
            (calls{"a note 1", "a note 2", "b note x", "b note y", "b note 1", "b note 3"}));
}

TEST_F(GenStatem, TakesAStateTimeoutBackWhenTheStateChanges) {
  script_.on_note = [](const std::string& what) {
    if (what == "aset")
      return step::keep().state_timeout(100ms);
    return what == "ago" ? step::next("b") : step::keep();
  };
  start();
  notes({"set", "other"});
  advance(100ms);
  EXPECT_EQ(script_.calls.back(), "a state_timeout") << "other events leave it";
  notes({"set", "go"});
  advance(1s);
  EXPECT_EQ(script_.calls.back(), "a note go");
}

TEST_F(GenStatem, TakesAnEventTimeoutBackWithAnyEvent) {
  script_.on_note = [](const std::string& what) {
    return what == "aset" ? step::keep().event_timeout(100ms) : step::keep();
  };
  start();
  notes({"set"});
  advance(100ms);
  EXPECT_EQ(script_.calls.back(), "a timeout");
  notes({"set", "other"});
  advance(1s);
  EXPECT_EQ(script_.calls.back(), "a note other");
}

TEST_F(GenStatem, KeepsNamedTimeoutsThroughEventsAndStateChanges) {
  script_.on_note = [](const std::string& what) {
    if (what == "aset")
      return step::keep().timeout("x"_a, 50ms).timeout("y"_a, 60ms);
    if (what == "bset")
      return step::keep().timeout("x"_a, 200ms);
    if (what == "bcancel")
      return step::keep().timeout("x"_a, std::nullopt);
    return step::next("b");
  };
  start();
  notes({"set", "go", "set"});
  advance(100ms);
  EXPECT_EQ(script_.calls.back(), "b timeout y") << "x has been set anew";
  advance(100ms);
  EXPECT_EQ(script_.calls.back(), "b timeout x");
  notes({"set", "cancel"});
  advance(1s);
  EXPECT_EQ(script_.calls.back(), "b note cancel");
}

TEST_F(GenStatem, HandlesATimeoutOfZeroAfterWhatIsQueuedAndBeforeTheMailbox) {
  script_.on_note = [](const std::string& what) {
    return what == "a1" ? step::keep().state_timeout(0ms).next_event(note{"x"}) : step::keep();
  };
  start();
  notes({"1", "2"});
  EXPECT_EQ(script_.calls, (calls{"a note 1", "a note x", "a state_timeout", "a note 2"}));
}

TEST_F(GenStatem, CallsTheStateEnterCallbackAtTheStartAndAfterEachChange) {
  script_.on_enter = [](const std::string& s) { return step::keep().timeout(term{s}, 10ms); };
  script_.on_note = [](const std::string& what) {
    return what == "a1" ? step::next("b").next_event(note{"x"}) : step::next("b");
  };
  start();
  notes({"1", "2"});
  EXPECT_EQ(script_.calls,
            (calls{"a entered from a", "a note 1", "b entered from a", "b note x", "b note 2"}));
  advance(10ms);
  EXPECT_EQ(script_.calls.back(), "b timeout <<\"b\">>");
}

TEST_F(GenStatem, StopsAndTellsWhoeverStillWaits) {
  script_.on_ask = [](const std::string&) { return step::keep().postpone(); };
  script_.on_note = [](const std::string&) -> step { throw exit_with{"enough"_a}; };
  start();
  std::optional<term> failure;
  post(parent_, probe::step{[&](probe& self) {
         server_.call(&self, ask{"1"})
           .then([](const std::string&) {}, [&](const term& reason) { failure = reason; });
       }});
  run();
  script_.callers.clear();
  notes({"1"});
  EXPECT_EQ(script_.calls.back(), "terminate enough");
  EXPECT_EQ(failure, "enough"_a);
  ASSERT_EQ(log_.exits.size(), 1u);
  EXPECT_EQ(log_.exits[0].second, "enough"_a);
}

/// The example of the documentation.
class door {
 public:
  enum class state { locked, open };
  using step = transition<door>;
  struct unlock {
    using reply = bool;
    int code;
  };

  state init() { return state::locked; }
  step handle_event(state, const unlock& event, from<bool>& caller) {
    caller.reply(event.code == 42);
    return event.code == 42 ? step::next(state::open).state_timeout(10ms) : step::keep();
  }
  step handle_event(state, state_timeout) { return step::next(state::locked); }
};

TEST(GenStatemOnThreads, IsADoor) {
  system_config config{{2}};
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  gen_statem<door>::ref server{start_link<gen_statem<door>>(*self)};
  EXPECT_FALSE(server.call(self, door::unlock{1}));
  EXPECT_TRUE(server.call(self, door::unlock{42}));
}

} // namespace
} // namespace penning::test
