#include "support/deterministic.hpp"

#include <penning/actors/gen_server.hpp>

#include <gmock/gmock.h>

#include <functional>
#include <future>
#include <string>

namespace penning::test {
namespace {

using namespace actors;

struct ask {
  using reply = std::string;
  std::string text;
};
struct note {
  std::string text;
};

/// What a test wants its module to do, and what it was asked.
struct script {
  std::vector<std::string> calls;
  bool traps = true;
  std::function<void()> construct = [] {};
  std::function<init_result(caf::actor)> init = [](const caf::actor&) { return next_step{}; };
  std::function<callback_result(const term&)> call = [](const term& r) { return reply{r, {}}; };
  std::function<callback_result(from<std::string>&)> ask = [](from<std::string>& caller) {
    caller.reply("answer");
    return noreply{};
  };
  std::function<callback_result(const term&)> cast = [](const term&) { return noreply{}; };
  std::function<callback_result(const term&)> proceed = [](const term&) { return noreply{}; };
  std::function<void()> terminate = [] {};
};

class module {
 public:
  module(gen_server<module>& self, script& s) :self_{self}, script_{s} {
    self_.trap_exit(script_.traps);
    script_.construct();
  }

  init_result init() {
    script_.calls.emplace_back("init");
    return script_.init(caf::actor{&self_});
  }
  callback_result handle_call(const term& request) {
    script_.calls.push_back("call " + to_string(request));
    return script_.call(request);
  }
  callback_result handle_call(const ask& request, from<std::string>& caller) {
    script_.calls.push_back("ask " + request.text);
    return script_.ask(caller);
  }
  callback_result handle_cast(const term& request) {
    script_.calls.push_back("cast " + to_string(request));
    return script_.cast(request);
  }
  void handle_cast(const note& request) {
    script_.calls.push_back("cast note " + request.text);
    self_.send_after(10ms, request);
  }
  void handle_info(const term& message) { script_.calls.push_back("info " + to_string(message)); }
  void handle_info(note message) { script_.calls.push_back("info note " + message.text); }
  callback_result handle_continue(const term& continuation) {
    script_.calls.push_back("continue " + to_string(continuation));
    return script_.proceed(continuation);
  }
  void terminate(const term& reason) {
    script_.calls.push_back("terminate " + to_string(reason));
    script_.terminate();
  }

 private:
  gen_server<module>& self_;
  script& script_;
};

/// Keeps its callers waiting.
struct sleepy {
  using reply = int;
};
struct bed {
  void handle_call(sleepy, from<int> caller) { kept.push_back(std::move(caller)); }
  std::vector<from<int>> kept;
};

class GenServer : public deterministic {
 protected:
  using calls = std::vector<std::string>;
  using server = gen_server<module>;

  GenServer() { parent_ = spawn<probe>(log_, true); }
  ~GenServer() override {
    script_.terminate = [] {};
    server_ = {};
    send_exit(parent_, {}, atoms::kill());
    run();
  }

  void tell(probe::step step) {
    post(parent_, std::move(step));
    run();
  }

  void start() {
    tell([&](probe& self) {
      start_ = self.start_link<server>(script_);
      server_ = server::ref{start_.pid};
    });
  }
  void running() {
    start();
    script_.calls.clear();
  }

  /// Calls and notes the reply, or the reason for there being none.
  template <class Request>
  void call(Request request, call_timeout timeout = default_call_timeout) {
    post(parent_, probe::step{[=, this](probe& self) {
           server_.call(&self, request, timeout)
             .then([this](const auto& reply) { replies_.emplace_back(reply); },
                   [this](const term& reason) { failures_.push_back(reason); });
         }});
  }

  /// Runs `step` in a callback of the server.
  void in_server(const std::function<void()>& step) {
    script_.cast = [&](const term&) { return step(), noreply{}; };
    server_.cast("step"_a);
    run();
  }

  using terms = std::vector<term>;

  script script_;
  probe::log log_;
  started start_;
  caf::actor parent_;
  server::ref server_;
  terms replies_, failures_;
};

// -- starting -------------------------------------------------------------------------------------

TEST_F(GenServer, StartsWithInit) {
  start();
  EXPECT_EQ(script_.calls, calls{"init"});
  EXPECT_EQ(start_.result.how, start_result::kind::ok);
}

TEST_F(GenServer, ThatDoesNotStartIsNotTerminated) {
  script_.init = [](const caf::actor&) { return stop{"no"_a, {}}; };
  start();
  EXPECT_EQ(start_.result.how, start_result::kind::stop);
  EXPECT_EQ(start_.result.value, "no"_a);
  script_.init = [](const caf::actor&) { return ignore{}; };
  start();
  EXPECT_EQ(start_.result.how, start_result::kind::ignore);
  script_.init = [](const caf::actor&) -> init_result { throw exit_with{"thrown"_a}; };
  start();
  EXPECT_EQ(start_.result.value, "thrown"_a);
  EXPECT_EQ(script_.calls, (calls{"init", "init", "init"}));
  EXPECT_TRUE(log_.exits.empty());
}

TEST_F(GenServer, DoesNotStartIfItsConstructorThrows) {
  script_.construct = [] { throw std::runtime_error{"broken"}; };
  start();
  EXPECT_EQ(start_.result.how, start_result::kind::stop);
  EXPECT_EQ(start_.result.value, tuple_of("exception"_a, "broken"));
  EXPECT_EQ(script_.calls, calls{});
}

TEST_F(GenServer, ContinuesAfterInitBeforeAnyMessage) {
  script_.init = [](const caf::actor& self) {
    post(self, term{"early"_a});
    return next_step{{}, term{1}};
  };
  script_.proceed = [](const term& t) -> callback_result {
    return t == term{1} ? noreply{{{}, term{2}}} : noreply{};
  };
  start();
  EXPECT_EQ(script_.calls, (calls{"init", "continue 1", "continue 2", "info early"}));
}

TEST_F(GenServer, GetsTheTimeoutOfInit) {
  script_.init = [](const caf::actor&) { return next_step{10ms, {}}; };
  start();
  advance(10ms);
  EXPECT_EQ(script_.calls.back(), "info timeout");
}

// -- requests -------------------------------------------------------------------------------------

TEST_F(GenServer, HandlesWhatItIsSentInOrder) {
  running();
  call(1);
  call(ask{"2"});
  run();
  server_.cast(3);
  server_.cast(note{"4"});
  server_.send(5);
  server_.send(note{"6"});
  run();
  EXPECT_EQ(script_.calls,
            (calls{"call 1", "ask 2", "cast 3", "cast note 4", "info 5", "info note 6"}));
  EXPECT_EQ(replies_, (terms{1, "answer"}));
  EXPECT_EQ(failures_, terms{});
  advance(10ms);
  EXPECT_EQ(script_.calls.back(), "info note 4") << "by send_after";
  advance(10s);
  EXPECT_EQ(failures_, terms{}) << "deadlines of answered calls are taken back";
}

TEST_F(GenServer, RepliesLater) {
  std::optional<from<std::string>> kept;
  script_.ask = [&](from<std::string>& caller) { return kept = caller, noreply{}; };
  running();
  call(ask{"x"});
  run();
  EXPECT_EQ(replies_, terms{});
  in_server([&] {
    kept->reply("first");
    kept->reply("second");
    kept.reset();
  });
  EXPECT_EQ(replies_, terms{"first"});
}

TEST_F(GenServer, TellsACallerWhomItForgot) {
  script_.ask = [](from<std::string>&) { return noreply{}; };
  running();
  call(ask{"x"});
  run();
  EXPECT_EQ(failures_, terms{atoms::noproc()});
}

TEST_F(GenServer, TellsACallerWhoStillWaitsWhyItEnded) {
  gen_server<bed>::ref busy;
  const auto note = [this](const term& reason) { failures_.push_back(reason); };
  tell([&](probe& self) {
    busy = gen_server<bed>::ref{self.start_link<gen_server<bed>>().pid};
    busy.call(&self, sleepy{}).then([](int) {}, note);
  });
  tell([&](probe& self) {
    busy.cast("bad"_a);
    busy.call(&self, sleepy{}).then([](int) {}, note); // stands in the mailbox
  });
  const auto reason = tuple_of("bad_cast"_a, "bad"_a);
  EXPECT_EQ(failures_, (terms{reason, reason}));
}

TEST_F(GenServer, CallsNobodyGetNoproc) {
  running();
  script_.cast = [](const term&) { return stop{"enough"_a, {}}; };
  server_.cast("stop"_a);
  run();
  call(1);
  run();
  EXPECT_EQ(failures_, terms{atoms::noproc()});
}

TEST_F(GenServer, GivesACallerUpAtHisDeadlineAndDropsTheLateReply) {
  std::optional<from<std::string>> kept;
  script_.ask = [&](from<std::string>& caller) { return kept = caller, noreply{}; };
  running();
  call(ask{"x"}, 100ms);
  advance(99ms);
  EXPECT_EQ(failures_, terms{});
  advance(1ms);
  EXPECT_EQ(failures_, terms{atoms::timeout()});
  in_server([&] {
    kept->reply("late");
    kept.reset();
  });
  EXPECT_EQ(replies_, terms{});
  EXPECT_EQ(failures_.size(), 1u);
}

TEST_F(GenServer, CalledWithoutADeadlineMayTakeItsTime) {
  std::optional<from<std::string>> kept;
  script_.ask = [&](from<std::string>& caller) { return kept = caller, noreply{}; };
  running();
  call(ask{"x"}, std::nullopt);
  advance(1h);
  in_server([&] {
    kept->reply("at last");
    kept.reset();
  });
  EXPECT_EQ(replies_, terms{"at last"});
}

TEST_F(GenServer, EndsACallerWhoDoesNotHandleFailures) {
  running();
  probe::log log;
  auto caller = spawn<probe>(log);
  script_.ask = [](from<std::string>&) { return noreply{}; };
  post(caller, probe::step{[&](probe& self) {
         server_.call(&self, ask{"x"}).then([](const std::string&) {});
       }});
  run();
  EXPECT_EQ(log.ended, tuple_of(atoms::noproc(), "call"_a));
}

// -- what callbacks return ------------------------------------------------------------------------

TEST_F(GenServer, GetsATimeoutUnlessAMessageComesFirst) {
  script_.cast = [](const term&) { return noreply{{100ms, {}}}; };
  running();
  server_.cast(1);
  advance(99ms);
  server_.send(2);
  advance(1s);
  EXPECT_EQ(script_.calls, (calls{"cast 1", "info 2"}));
  server_.cast(3);
  advance(100ms);
  EXPECT_EQ(script_.calls.back(), "info timeout");
  advance(1s);
  EXPECT_EQ(script_.calls.size(), 4u) << "once";
}

TEST_F(GenServer, GetsATimeoutOfZeroAfterItsMailbox) {
  script_.cast = [](const term&) { return noreply{{0ms, {}}}; };
  running();
  server_.cast(1);
  server_.cast(2);
  run();
  EXPECT_EQ(script_.calls, (calls{"cast 1", "cast 2", "info timeout"}));
}

TEST_F(GenServer, RepliesOnceItHasTerminatedWhenItStopsWithAReply) {
  script_.call = [](const term&) { return stop{"bye"_a, "last"_a}; };
  script_.terminate = [&] { // whose message the caller gets before the reply
    post(parent_, probe::step{[&](probe&) {
           script_.calls.push_back(replies_.empty() ? "no reply yet" : "too late");
         }});
  };
  running();
  call(1);
  run();
  EXPECT_EQ(replies_, terms{"last"_a});
  EXPECT_EQ(script_.calls, (calls{"call 1", "terminate bye", "no reply yet"}));
  ASSERT_EQ(log_.exits.size(), 1u);
  EXPECT_EQ(log_.exits[0].second, "bye"_a);
}

TEST_F(GenServer, ThatStopsWithoutAReplyTellsTheCallerWhy) {
  script_.call = [](const term&) { return stop{"bye"_a, {}}; };
  running();
  call(1);
  run();
  EXPECT_EQ(failures_, terms{"bye"_a});
}

// -- ends -----------------------------------------------------------------------------------------

TEST_F(GenServer, EndsWithWhatACallbackThrows) {
  const auto reason_of = [&](std::function<callback_result(const term&)> cast) {
    script_.cast = std::move(cast);
    start();
    log_.exits.clear();
    server_.cast("go"_a);
    run();
    EXPECT_EQ(log_.exits.size(), 1u);
    EXPECT_EQ(script_.calls.back(), "terminate " + to_string(log_.exits.at(0).second));
    return log_.exits.at(0).second;
  };
  EXPECT_EQ(reason_of([](const term&) -> callback_result { throw std::runtime_error{"broken"}; }),
            tuple_of("exception"_a, "broken"));
  EXPECT_EQ(reason_of([](const term&) -> callback_result { throw exit_with{"mine"_a}; }), "mine"_a);
  EXPECT_EQ(reason_of([](const term&) -> callback_result { throw term{42}; }), 42);
}

TEST_F(GenServer, EndsWithWhatTerminateThrows) {
  script_.terminate = [] { throw exit_with{"worse"_a}; };
  script_.cast = [](const term&) { return stop{"bad"_a, {}}; };
  running();
  server_.cast("go"_a);
  run();
  ASSERT_EQ(log_.exits.size(), 1u);
  EXPECT_EQ(log_.exits[0].second, "worse"_a);
}

TEST_F(GenServer, ThatTrapsExitsEndsAsItsParentDoesEvenNormally) {
  for (const auto& reason : {term{atoms::normal()}, term{atoms::shutdown()}, term{"boom"_a}}) {
    running();
    log_.exits.clear();
    send_exit(start_.pid, parent_.address(), reason);
    run();
    EXPECT_EQ(script_.calls, calls{"terminate " + to_string(reason)});
    ASSERT_EQ(log_.exits.size(), 1u);
    EXPECT_EQ(log_.exits[0].second, reason);
  }
}

TEST_F(GenServer, ThatTrapsExitsIsToldOfOthers) {
  running();
  probe::log log;
  auto other = spawn<probe>(log);
  send_exit(start_.pid, other.address(), "boom"_a);
  run();
  EXPECT_EQ(script_.calls, calls{"info {'EXIT'," + to_string(to_pid(other.address())) + ",boom}"});
}

TEST_F(GenServer, ThatDoesNotTrapExitsEndsWithoutTerminate) {
  script_.traps = false;
  running();
  send_exit(start_.pid, parent_.address(), atoms::shutdown());
  run();
  EXPECT_EQ(script_.calls, calls{});
  ASSERT_EQ(log_.exits.size(), 1u);
  EXPECT_EQ(log_.exits[0].second, atoms::shutdown());
}

TEST_F(GenServer, ThatIsKilledEndsWithoutTerminate) {
  running();
  send_exit(start_.pid, {}, atoms::kill());
  run();
  EXPECT_EQ(script_.calls, calls{});
  ASSERT_EQ(log_.exits.size(), 1u);
  EXPECT_EQ(log_.exits[0].second, atoms::killed());
}

TEST_F(GenServer, IsGoneFromMemoryWithItsLastHandle) {
  running();
  auto resource = std::make_shared<int>();
  const std::weak_ptr<int> watched = resource;
  script_.call = [resource = std::move(resource)](const term& r) { return reply{r, {}}; };
  script_.cast = [](const term&) { return stop{atoms::normal(), {}}; };
  const caf::actor_addr address = start_.pid.address();
  call(1);
  run();
  server_.cast("stop"_a);
  run();
  server_ = {};
  start_ = {};
  EXPECT_FALSE(caf::actor_cast<caf::actor>(address)) << "not even a deadline holds it";
}

// -- modules of other shapes ----------------------------------------------------------------------

/// The example of the documentation.
class counter {
 public:
  struct add {
    int by;
  };
  struct reset {};

  explicit counter(int start = 0) : count_{start} {}
  int handle_call(add request) { return count_ += request.by; }
  void handle_call(reset) { count_ = 0; }
  void handle_cast(reset) { count_ = 0; }

 private:
  int count_;
};

/// Has no callback at all.
struct silent {};

TEST_F(GenServer, WithoutACallbackEndsWithWhatItCannotDo) {
  gen_server<silent>::ref quiet;
  const auto start_silent = [&] {
    tell([&](probe& self) {
      quiet = gen_server<silent>::ref{self.start_link<gen_server<silent>>().pid};
    });
  };
  start_silent();
  quiet.send("what"_a);
  run();
  EXPECT_TRUE(process::is_alive(quiet.actor()));
  quiet.cast("what"_a);
  run();
  start_silent();
  tell([&](probe& self) {
    quiet.call(&self, "what"_a)
      .then([](const term&) {}, [&](const term& reason) { failures_.push_back(reason); });
  });
  EXPECT_EQ(failures_, terms{tuple_of("bad_call"_a, "what"_a)});
  ASSERT_EQ(log_.exits.size(), 2u);
  EXPECT_EQ(log_.exits[0].second, tuple_of("bad_cast"_a, "what"_a));
  EXPECT_EQ(log_.exits[1].second, tuple_of("bad_call"_a, "what"_a));
}

/// A message of a plain CAF actor, and what processes tell, as they are.
struct plain {
  int value;
};

/// What a plain CAF actor may ask, and the answers to it.
struct length {
  std::string text;
};
struct twice {
  std::string text;
};
struct doubled {
  static constexpr auto tag = "doubled";
  std::string text;
  auto fields() { return std::tuple{field{"text", text}}; }
};
struct set_aside {};

class listener {
 public:
  using messages = std::tuple<plain, length, twice, set_aside>;

  listener(gen_server<listener>& self, std::vector<std::string>& heard)
      : self_{self},
        heard_{heard} {
    self_.trap_exit(true);
  }
  std::int64_t handle_call(const length& request) {
    return static_cast<std::int64_t>(request.text.size());
  }
  doubled handle_call(const twice& request) { return {request.text + request.text}; }
  void handle_cast(const set_aside&) { heard_.emplace_back("set aside"); }
  void handle_cast(const std::shared_ptr<caf::actor>& whom) { self_.monitor(*whom); }
  void handle_info(const plain& message) {
    heard_.push_back("plain " + std::to_string(message.value));
  }
  void handle_info(const down& message) { heard_.push_back("down " + to_string(message.reason)); }
  void handle_info(const exit_signal& signal) {
    heard_.push_back("exit " + to_string(signal.reason));
  }
  void handle_info(const exited&) { heard_.emplace_back("exited"); }

 private:
  gen_server<listener>& self_;
  std::vector<std::string>& heard_;
};

} // namespace
} // namespace penning::test

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::test::plain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::test::length)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::test::twice)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::test::doubled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::test::set_aside)

namespace penning::test {
namespace {

TEST_F(GenServer, TakesMessagesAsTheyAre) {
  std::vector<std::string> heard;
  probe::log log;
  auto other = std::make_shared<caf::actor>(spawn<probe>(log));
  auto actor = spawn<gen_server<listener>>(heard);
  post(actor, plain{1});
  post(actor, exited{});
  post(actor, data{}); // which it does not know
  gen_server<listener>::ref{actor}.cast(other);
  run();
  send_exit(actor, other->address(), "boom"_a);
  send_exit(*other, {}, "bang"_a);
  run();
  EXPECT_EQ(heard, (std::vector<std::string>{"plain 1", "exited", "exit boom", "down bang"}));
}

TEST_F(GenServer, AnswersAPlainRequestOfItsOwnTypes) {
  std::vector<std::string> heard;
  const auto actor = spawn<gen_server<listener>>(heard);
  probe::log log;
  const auto asker = spawn<probe>(log);
  std::vector<std::string> answers;
  post(asker, probe::step{[&](probe& self) {
         const auto ask = [&](caf::message message) {
           request_message(
             &self, actor, std::move(message),
             [&](const caf::message& answer) {
               answers.push_back(answer.match_elements<doubled>() ? answer.get_as<doubled>(0).text
                                                                  : caf::to_string(answer));
             },
             [&](const caf::error& error) {
               answers.emplace_back(is_end(error) ? "it has ended" : "an error");
             });
         };
         ask(caf::make_message(length{"four"}));
         ask(caf::make_message(twice{"ab"}));
         ask(caf::make_message(std::string{"unknown"}));
       }});
  post(actor, set_aside{});
  run();
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_THAT(answers[0], testing::HasSubstr("4"));
  EXPECT_EQ(answers[1], "abab");
  EXPECT_EQ(answers[2], "an error");
  EXPECT_EQ(heard, (std::vector<std::string>{"set aside"}));
  const auto* listens = dynamic_cast<callback_process*>(caf::actor_cast<caf::abstract_actor*>(actor));
  EXPECT_TRUE(listens->takes(caf::make_message(twice{})));
  EXPECT_FALSE(listens->takes(caf::make_message(doubled{})));
}

TEST_F(GenServer, ThatEndsSaysSoToWhoeverAsked) {
  running();
  script_.call = [](const term& reason) -> callback_result { return stop{reason, {}}; };
  probe::log log;
  const auto asker = spawn<probe>(log);
  std::vector<std::pair<bool, term>> errors;
  for (const auto& request : {"at once"_a, "too late"_a})
    post(asker, probe::step{[&, request](probe& self) {
           request_message(
             &self, start_.pid, caf::make_message(actors::call{request}), [](const caf::message&) {},
             [&](const caf::error& error) {
               errors.emplace_back(is_end(error), reason_from(error));
             });
         }});
  run();
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0], (std::pair{true, term{"at once"_a}}));
  EXPECT_EQ(errors[1], (std::pair{true, term{"at once"_a}})) << "it waited in the mailbox";
}

TEST_F(GenServer, HasARefOnlyOfItsKind) {
  running();
  EXPECT_NO_THROW(server_ref<process>{start_.pid});
  EXPECT_THROW(gen_server<counter>::ref{start_.pid}, std::invalid_argument);
}

TEST(GenServerOnThreads, CountsForAThreadThatIsNoActor) {
  system_config config{{4}};
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  gen_server<counter>::ref server{start_link<gen_server<counter>>(*self, 40)};
  EXPECT_EQ(server.call(self, counter::add{2}), 42);
  server.cast(counter::reset{});
  EXPECT_EQ(server.call(self, counter::add{1}), 1);
  server.call(self, counter::reset{});
  EXPECT_EQ(server.call(self, counter::add{1}), 1);
  try {
    server.call(self, "what"_a);
    FAIL();
  } catch (const call_failed& failure) {
    EXPECT_EQ(failure.reason, tuple_of("bad_call"_a, "what"_a));
  }
  EXPECT_THROW(server.call(self, counter::add{1}), call_failed);
}

TEST(GenServerOnThreads, LetsAThreadWaitNoLongerThanItSays) {
  system_config config{{4}};
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  gen_server<bed>::ref server{start_link<gen_server<bed>>(*self)};
  try {
    server.call(self, sleepy{}, 20ms);
    FAIL();
  } catch (const call_failed& failure) {
    EXPECT_EQ(failure.reason, atoms::timeout());
  }
  send_exit(server.actor(), {}, atoms::shutdown());
}

TEST(GenServerOnThreads, TakesCallsOfManyAtOnce) {
  constexpr int callers = 8, rounds = 500;
  std::array<probe::log, callers> logs; // outlive the callers
  system_config config{{4}};
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  gen_server<counter>::ref server{start_link<gen_server<counter>>(*self)};
  std::array<std::promise<void>, callers> done;
  for (int i = 0; i < callers; ++i) {
    auto caller = system.spawn<probe>(logs[i]);
    post(caller, probe::step{[&, i](probe& p) {
           auto next = std::make_shared<std::function<void(int)>>();
           *next = [&, i, again = std::weak_ptr{next}](int left) {
             if (left == 0)
               return p.exit(atoms::normal()), done[i].set_value();
             server.call(&p, counter::add{1}).then([next = again.lock(), left](int) {
               (*next)(left - 1);
             });
           };
           (*next)(rounds);
         }});
  }
  for (auto& d : done)
    ASSERT_EQ(d.get_future().wait_for(20s), std::future_status::ready);
  EXPECT_EQ(server.call(self, counter::add{0}), callers * rounds);
}

} // namespace
} // namespace penning::test
