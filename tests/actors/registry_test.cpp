#include "support/deterministic.hpp"

#include <penning/actors/registry.hpp>

#include <caf/actor_companion.hpp>

#include <array>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace penning::test {
namespace {

using actors::duplicate_registry;
using actors::name_errc;
using actors::register_name;
using actors::registered;
using actors::start_result;
using actors::unique_registry;
using actors::unregister_name;
using actors::via;
using actors::whereis;

/// A probe that starts under a name, and looks around where its test tells it to.
class named_probe : public probe {
 public:
  struct hooks {
    std::function<start_result(named_probe&)> init = [](named_probe&) { return start_result{}; };
    std::function<void(named_probe&)> terminate = [](named_probe&) {};
  };

  named_probe(caf::actor_config& config, log& remembered, actors::server_name name)
      : named_probe{config, remembered, std::move(name), hooks{}} {}
  named_probe(caf::actor_config& config, log& remembered, actors::server_name name, hooks called)
      : probe{config, remembered},
        hooks_{std::move(called)} {
    set_name(std::move(name));
  }

  using process::acknowledge;
  using process::leave;

 protected:
  start_result init() override { return hooks_.init(*this); }
  void terminate(const term& reason) override {
    probe::terminate(reason);
    hooks_.terminate(*this);
  }

 private:
  hooks hooks_;
};

/// An actor that is no process.
class plain_actor : public caf::event_based_actor {
 public:
  using event_based_actor::event_based_actor;
  caf::behavior make_behavior() override {
    return {[](int) {}};
  }
};

class Names : public deterministic {
 protected:
  void tell(const caf::actor& whom, probe::step step) {
    actors::post(whom, std::move(step));
    run();
  }
  void end(const caf::actor& whom) {
    tell(whom, [](probe& self) { self.exit("boom"_a); });
  }

  caf::actor plain() { return system().spawn<plain_actor>(); }
  void end_plain(const caf::actor& whom) {
    caf::anon_send_exit(whom, caf::exit_reason::user_shutdown);
    run();
  }

  /// One that looks around at the very moment at which something is sent to it.
  caf::actor on_message(std::function<void()> look) {
    auto result = system().spawn<caf::actor_companion>();
    companion(result).on_enqueue(
      [look = std::move(look)](const caf::mailbox_element_ptr&) { look(); });
    return result;
  }

  static caf::actor_companion& companion(const caf::actor& actor) {
    return dynamic_cast<caf::actor_companion&>(*caf::actor_cast<caf::abstract_actor*>(actor));
  }

  probe::log log_, other_log_, parent_log_;
};

// -- local names ----------------------------------------------------------------------------------

TEST_F(Names, LeadToTheirActorsUntilTheyAreFreed) {
  auto a = spawn<probe>(log_);
  EXPECT_EQ(whereis(system(), "db"_a), nullptr);
  EXPECT_TRUE(register_name(system(), "db"_a, a));
  EXPECT_EQ(whereis(system(), "db"_a), a);
  EXPECT_EQ(whereis(system(), "db"), nullptr) << "the binary is another term";
  EXPECT_EQ(registered(system()), std::vector<term>{"db"_a});
  EXPECT_TRUE(unregister_name(system(), "db"_a));
  EXPECT_EQ(whereis(system(), "db"_a), nullptr);
  EXPECT_TRUE(registered(system()).empty());
  EXPECT_FALSE(unregister_name(system(), "db"_a));
  EXPECT_TRUE(register_name(system(), tuple_of("db"_a, 2), a)) << "it has no name any more";
  EXPECT_EQ(whereis(system(), tuple_of("db"_a, 2)), a);
  end(a);
}

TEST_F(Names, AreSentTo) {
  auto a = spawn<probe>(log_);
  register_name(system(), "db"_a, a);
  bool ran = false;
  EXPECT_TRUE(actors::send(system(), "db"_a, probe::step{[&](probe&) { ran = true; }}));
  EXPECT_FALSE(actors::send(system(), "other"_a, probe::step{[&](probe&) { ran = false; }}));
  run();
  EXPECT_TRUE(ran);
  end(a);
  EXPECT_FALSE(actors::send(system(), "db"_a, probe::step{}));
}

TEST_F(Names, AreRefusedAsByErlang) {
  auto a = spawn<probe>(log_);
  auto b = spawn<probe>(other_log_);
  auto dead = spawn<probe>(parent_log_);
  end(dead);
  register_name(system(), "a"_a, a);
  const auto taken = register_name(system(), "a"_a, b);
  EXPECT_EQ(taken.error, name_errc::taken);
  EXPECT_EQ(taken.owner, a);
  EXPECT_EQ(to_term(taken),
            tuple_of("error"_a, tuple_of("already_registered"_a, actors::to_pid(a.address()))));
  EXPECT_EQ(register_name(system(), "a"_a, a).error, name_errc::taken) << "by itself";
  EXPECT_EQ(register_name(system(), "b"_a, a).error, name_errc::already_named);
  EXPECT_EQ(register_name(system(), "c"_a, dead).error, name_errc::not_alive);
  EXPECT_EQ(register_name(system(), "c"_a, nullptr).error, name_errc::not_alive);
  EXPECT_EQ(register_name(system(), "undefined"_a, b).error, name_errc::undefined);
  EXPECT_EQ(registered(system()), std::vector<term>{"a"_a});
  end(a);
  end(b);
}

TEST_F(Names, HoldTheirActors) {
  register_name(system(), "a"_a, spawn<probe>(log_));
  run();
  EXPECT_FALSE(log_.ended);
  unregister_name(system(), "a"_a);
  EXPECT_EQ(log_.ended, atoms::killed()) << "nobody can reach it any more";
}

TEST_F(Names, AreKeptDuringTerminateAndFreeBeforeAnyoneHearsOfTheEnd) {
  caf::actor during, at_link, at_monitor;
  std::size_t names_at_link = 99;
  named_probe::hooks hooks;
  hooks.terminate = [&](named_probe&) { during = whereis(system(), "a"_a); };
  auto a = spawn<named_probe>(log_, "a"_a, hooks);
  auto linked = on_message([&] {
    at_link = whereis(system(), "a"_a);
    names_at_link = registered(system()).size();
  });
  actors::exit_observer::attach(a, nullptr,
                                [&](const caf::error&) { at_monitor = whereis(system(), "a"_a); });
  tell(a, [&](probe& self) { self.link(linked); });
  end(a);
  EXPECT_EQ(during, a);
  EXPECT_EQ(at_link, nullptr);
  EXPECT_EQ(names_at_link, 0u);
  EXPECT_EQ(at_monitor, nullptr);
  during = nullptr;
}

TEST_F(Names, AreFreeOnceTheProcessLeavesItsParent) {
  caf::actor a;
  bool told = false, free = false;
  auto parent = on_message([&] { free = !std::exchange(told, true) && !whereis(system(), "a"_a); });
  a = system().spawn<named_probe>(log_, "a"_a);
  tell(a, [&](probe& self) {
    self.link(parent);
    static_cast<named_probe&>(self).leave(parent.address(), atoms::shutdown());
  });
  EXPECT_TRUE(told);
  EXPECT_TRUE(free);
  EXPECT_FALSE(log_.ended);
  EXPECT_TRUE(register_name(system(), "a"_a, a));
  end(a);
  EXPECT_TRUE(registered(system()).empty());
}

TEST_F(Names, AreFreeWhenTheParentHearsThatALateStartHasFailed) {
  bool free = false;
  auto parent = on_message([&] { free = !whereis(system(), "a"_a); });
  named_probe::hooks hooks;
  hooks.init = [](named_probe&) { return start_result{start_result::kind::pending, {}}; };
  auto a = actors::start_link<named_probe>(companion(parent), log_, "a"_a, hooks);
  EXPECT_EQ(whereis(system(), "a"_a), a);
  tell(a, [](probe& self) {
    static_cast<named_probe&>(self).acknowledge({start_result::kind::stop, "no"_a});
  });
  EXPECT_TRUE(free);
  EXPECT_EQ(log_.ended, "no"_a);
}

TEST_F(Names, OfActorsThatAreNoProcessesEndWithThem) {
  auto a = plain();
  EXPECT_TRUE(register_name(system(), "a"_a, a));
  EXPECT_EQ(whereis(system(), "a"_a), a);
  end_plain(a);
  EXPECT_EQ(whereis(system(), "a"_a), nullptr);
  EXPECT_EQ(register_name(system(), "a"_a, a).error, name_errc::not_alive);
}

TEST_F(Names, OfTheDeadAreFreeEvenBeforeTheyAreRemoved) {
  // given someone who hears of the end before the registry does
  auto next = spawn<probe>(other_log_);
  auto take_over = [&](const caf::actor& old) {
    return [&, addr = old.address()] {
      EXPECT_EQ(whereis(system(), "a"_a), nullptr);
      EXPECT_TRUE(registered(system()).empty());
      EXPECT_FALSE(unregister_name(system(), "a"_a));
      EXPECT_TRUE(register_name(system(), "a"_a, next));
    };
  };
  auto a = spawn<probe>(log_);
  actors::process::at_end(a, take_over(a));
  register_name(system(), "a"_a, a);
  // when it takes the name over, then the late removal does not take it away
  end(a);
  EXPECT_EQ(whereis(system(), "a"_a), next);
  unregister_name(system(), "a"_a);
  // likewise for an actor that is no process, whose observers are called newest first
  auto b = plain();
  register_name(system(), "a"_a, b);
  actors::process::at_end(b, take_over(b));
  end_plain(b);
  EXPECT_EQ(whereis(system(), "a"_a), next);
  end(next);
}

TEST_F(Names, NeedASystemThatIsConfiguredForThem) {
  caf::actor_system_config bare_config;
  caf::actor_system bare_system{bare_config};
  EXPECT_THROW(whereis(bare_system, "a"_a), std::logic_error);
}

TEST_F(Names, NeedARegistryInAVia) {
  EXPECT_THROW((actors::server_name{via{nullptr, "a"_a}}), std::invalid_argument);
}

TEST_F(Names, TellOfTheEndAtOnceIfItIsOver) {
  auto a = spawn<probe>(log_);
  auto b = plain();
  end(a);
  end_plain(b);
  int called = 0;
  actors::process::at_end(a, [&] { ++called; });
  actors::process::at_end(b, [&] { ++called; });
  EXPECT_EQ(called, 2);
}

// -- processes that have a name -------------------------------------------------------------------

/// A registry that a user might write: it knows nothing of ends.
class address_book : public actors::name_registry {
 public:
  explicit address_book(bool tells_owner = true) : tells_owner_{tells_owner} {}

  actors::name_result register_name(const term& name, const caf::actor& actor) override {
    const auto [node, added] = book_.emplace(name, actor);
    if (added)
      return {};
    return {name_errc::taken, tells_owner_ ? node->second : caf::actor{}};
  }
  bool unregister_name(const term& name) override { return book_.erase(name) > 0; }
  caf::actor whereis_name(const term& name) const override {
    const auto found = book_.find(name);
    return found == book_.end() ? caf::actor{} : found->second;
  }

 private:
  bool tells_owner_;
  std::map<term, caf::actor> book_;
};

/// Each kind of name.
class NamedProcess : public Names, public testing::WithParamInterface<std::string> {
 protected:
  static actors::server_name make_name(const std::string& kind) {
    if (kind == "local")
      return "server"_a;
    if (kind == "unique")
      return via{std::make_shared<unique_registry>(), tuple_of("server"_a, 1)};
    return via{std::make_shared<address_book>(), "server"};
  }

  caf::actor found() { return whereis(system(), name_); }

  actors::started start(named_probe::hooks hooks = {}) {
    actors::started result;
    tell(parent_, [&](probe& self) {
      result = self.start_link<named_probe>(log_, name_, std::move(hooks));
      free_at_return_ = !found();
    });
    return result;
  }

  void TearDown() override { end(parent_); }

  actors::server_name name_ = make_name(GetParam());
  caf::actor parent_ = spawn<probe>(parent_log_, true);
  bool free_at_return_ = false;
};

INSTANTIATE_TEST_SUITE_P(Of, NamedProcess, testing::Values("local", "unique", "own"),
                         [](const auto& kind) { return kind.param; });

TEST_P(NamedProcess, HasItBeforeInitRuns) {
  caf::actor during;
  named_probe::hooks hooks;
  hooks.init = [&](named_probe&) {
    during = found();
    return start_result{};
  };
  const auto started = start(hooks);
  EXPECT_NE(started.pid, nullptr);
  EXPECT_EQ(std::exchange(during, nullptr), started.pid);
  EXPECT_EQ(found(), started.pid);
  bool ran = false;
  EXPECT_TRUE(actors::send(system(), name_, probe::step{[&](probe&) { ran = true; }}));
  run();
  EXPECT_TRUE(ran);
}

TEST_P(NamedProcess, DoesNotStartIfTheNameIsTaken) {
  const auto first = start();
  bool init_ran = false;
  named_probe::hooks hooks;
  hooks.init = [&](named_probe&) {
    init_ran = true;
    return start_result{};
  };
  const auto second = start(hooks);
  EXPECT_EQ(second.pid, nullptr);
  EXPECT_EQ(second.result.how, start_result::kind::stop);
  EXPECT_EQ(second.result.value,
            tuple_of("already_started"_a, actors::to_pid(first.pid.address())));
  EXPECT_FALSE(init_ran);
  EXPECT_TRUE(parent_log_.exits.empty());
  EXPECT_EQ(found(), first.pid) << "which the other's end has not changed";
}

TEST_P(NamedProcess, LeavesItFreeWhenItsStartFails) {
  using enum start_result::kind;
  const std::function<start_result(named_probe&)> failing[] = {
    [](named_probe&) {
      return start_result{ignore, {}};
    },
    [](named_probe&) {
      return start_result{stop, "no"_a};
    },
    [](named_probe&) -> start_result { throw std::runtime_error{"broken"}; },
  };
  for (const auto& init : failing) {
    named_probe::hooks hooks;
    hooks.init = init;
    EXPECT_EQ(start(hooks).pid, nullptr);
    EXPECT_TRUE(free_at_return_);
  }
  EXPECT_NE(start().pid, nullptr);
}

TEST_P(NamedProcess, KeepsItWhileItTerminatesAndGivesItUpBeforeAnyoneHears) {
  caf::actor during, at_link;
  named_probe::hooks hooks;
  hooks.terminate = [&](named_probe&) { during = found(); };
  auto a = start(hooks).pid;
  auto linked = on_message([&] { at_link = found(); });
  tell(a, [&](probe& self) { self.link(linked); });
  end(a);
  EXPECT_EQ(std::exchange(during, nullptr), a);
  EXPECT_EQ(std::exchange(at_link, nullptr), nullptr);
  EXPECT_NE(start().pid, nullptr) << "a replacement";
}

TEST_P(NamedProcess, DoesNotTakeAwayANameThatHasPassedToAnother) {
  auto a = start().pid;
  auto b = spawn<probe>(other_log_);
  unregister_name(system(), name_);
  register_name(system(), name_, b);
  end(a);
  EXPECT_EQ(found(), b);
  unregister_name(system(), name_);
  end(b);
}

TEST_F(Names, ThatAreTakenByNobodyKnown) {
  actors::server_name name = via{std::make_shared<address_book>(false), "a"_a};
  auto a = spawn<named_probe>(log_, name);
  auto parent = spawn<probe>(parent_log_, true);
  // when one is spawned rather than started
  tell(parent, [&](probe& self) { self.spawn_link<named_probe>(other_log_, name); });
  // then its parent hears of it by an exit signal
  ASSERT_EQ(parent_log_.exits.size(), 1u);
  EXPECT_EQ(parent_log_.exits[0].second, tuple_of("already_started"_a, "undefined"_a));
  end(a);
  end(parent);
}

// -- keyed registries -----------------------------------------------------------------------------

using Registry = Names;

TEST_F(Registry, OfUniqueKeysHasOneLiveActorForEach) {
  unique_registry registry;
  auto a = spawn<probe>(log_);
  auto b = spawn<probe>(other_log_);
  EXPECT_TRUE(registry.register_key("x"_a, a, 1));
  EXPECT_TRUE(registry.register_key("y"_a, a)) << "one actor may have several";
  const auto taken = registry.register_key("x"_a, b, 2);
  EXPECT_EQ(to_term(taken),
            tuple_of("error"_a, tuple_of("already_registered"_a, actors::to_pid(a.address()))));
  ASSERT_EQ(registry.lookup("x"_a).size(), 1u);
  EXPECT_EQ(registry.lookup("x"_a)[0].actor, a);
  EXPECT_EQ(registry.lookup("x"_a)[0].value, 1);
  EXPECT_EQ(registry.lookup("y"_a)[0].value, "undefined"_a);
  EXPECT_EQ(registry.keys(a).size(), 2u);
  EXPECT_EQ(registry.unregister("x"_a, b), 0u) << "not its own";
  EXPECT_EQ(registry.unregister("x"_a, a), 1u);
  EXPECT_EQ(registry.keys(a), std::vector<term>{"y"_a});
  EXPECT_TRUE(registry.register_key("x"_a, b, 2));
  EXPECT_EQ(registry.whereis_name("x"_a), b);
  end(a);
  end(b);
  EXPECT_EQ(registry.count(), 0u);
}

TEST_F(Registry, OfUniqueKeysReplacesADeadOwnerOnTheSpot) {
  unique_registry registry;
  auto a = spawn<probe>(log_);
  auto b = spawn<probe>(other_log_);
  actors::process::at_end(a, [&] {
    EXPECT_TRUE(registry.lookup("x"_a).empty());
    EXPECT_TRUE(registry.register_key("x"_a, b, 2));
  });
  registry.register_key("x"_a, a, 1);
  end(a);
  ASSERT_EQ(registry.lookup("x"_a).size(), 1u);
  EXPECT_EQ(registry.lookup("x"_a)[0].value, 2);
  EXPECT_EQ(registry.count(), 1u);
  end(b);
}

TEST_F(Registry, OfDuplicateKeysPublishesToEachEntry) {
  duplicate_registry registry;
  auto a = spawn<probe>(log_);
  auto b = spawn<probe>(other_log_);
  registry.register_key("news"_a, a, 1);
  registry.register_key("news"_a, b, 2);
  registry.register_key("news"_a, a, 3);
  registry.register_key("weather"_a, b, 4);
  std::vector<term> values;
  registry.dispatch("news"_a, [&](const auto& entry) { values.push_back(entry.value); });
  EXPECT_EQ(values, (std::vector<term>{1, 2, 3})) << "oldest first";
  EXPECT_EQ(registry.keys(a), (std::vector<term>{"news"_a, "news"_a}));
  std::map<probe*, int> got;
  EXPECT_EQ(registry.publish("news"_a, probe::step{[&](probe& self) { ++got[&self]; }}), 3u);
  run();
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got.begin()->second + got.rbegin()->second, 3);
  EXPECT_EQ(registry.unregister("news"_a, a), 2u);
  EXPECT_EQ(registry.publish("news"_a, probe::step{[](probe&) {}}), 1u);
  EXPECT_EQ(registry.publish("sports"_a, probe::step{}), 0u);
  end(b);
  EXPECT_EQ(registry.count(), 0u);
  EXPECT_EQ(registry.register_key("news"_a, b).error, name_errc::not_alive);
  end(a);
}

TEST_F(Registry, IsNotLockedDuringDispatch) {
  duplicate_registry registry;
  auto a = spawn<probe>(log_);
  registry.register_key("x"_a, a, 1);
  registry.dispatch("x"_a, [&](const auto& entry) {
    registry.register_key("x"_a, entry.actor, 2);
    registry.unregister("x"_a, entry.actor);
  });
  EXPECT_EQ(registry.count(), 0u);
  end(a);
}

TEST_F(Registry, EndsAnActorThatItHeldAlone) {
  duplicate_registry registry;
  registry.register_key("x"_a, spawn<probe>(log_));
  registry.register_key("y"_a, registry.lookup("x"_a)[0].actor);
  auto addr = registry.lookup("x"_a)[0].actor.address();
  registry.unregister("x"_a, caf::actor_cast<caf::actor>(addr));
  EXPECT_FALSE(log_.ended);
  registry.unregister("y"_a, caf::actor_cast<caf::actor>(addr));
  EXPECT_EQ(log_.ended, atoms::killed());
  EXPECT_EQ(registry.count(), 0u);
}

TEST_F(Registry, HasNoTraceOfAnActorOnceAnyoneHearsOfItsEnd) {
  duplicate_registry registry;
  std::size_t at_link = 99;
  auto a = spawn<probe>(log_);
  auto linked = on_message([&] { at_link = registry.count() + registry.keys(a).size(); });
  registry.register_key("x"_a, a);
  registry.register_key("y"_a, a);
  tell(a, [&](probe& self) { self.link(linked); });
  end(a);
  EXPECT_EQ(at_link, 0u);
  auto b = plain();
  registry.register_key("x"_a, b);
  end_plain(b);
  EXPECT_EQ(registry.count(), 0u);
}

TEST_F(Registry, MayGoBeforeItsActors) {
  auto registry = std::make_unique<unique_registry>();
  auto a = spawn<probe>(log_);
  registry->register_key("x"_a, a);
  registry.reset();
  end(a);
  EXPECT_EQ(log_.ended, "boom"_a);
}

// -- threads --------------------------------------------------------------------------------------

class RegistryThreads : public testing::Test {
 protected:
  template <class Work>
  static void in_four_threads(Work work) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back(work, i);
    for (auto& thread : threads)
      thread.join();
  }

  static void end(const caf::actor& whom) {
    actors::post(whom, probe::step{[](probe& self) { self.exit(atoms::normal()); }});
  }

  caf::actor_system& system() { return runtime_.system(); }

  actors::runtime runtime_{{.threads = 4}};
};

TEST_F(RegistryThreads, AThousandActorsLeaveNothingBehind) {
  constexpr int each = 250;
  unique_registry unique;
  duplicate_registry duplicate;
  std::array<probe::log, 4 * each> logs;
  std::atomic<int> named = 0;
  in_four_threads([&](int thread) {
    for (int i = 0; i < each; ++i) {
      auto a = system().spawn<probe>(logs[static_cast<std::size_t>(thread * each + i)]);
      if (i % 3 == 0)
        end(a); // so that it ends while it is registered
      named += register_name(system(), tuple_of("shared"_a, i % 10), a) ? 1 : 0;
      unique.register_key(i % 7, a, thread);
      duplicate.register_key(i % 5, a, i);
      duplicate.register_key(i % 5, a, i);
      duplicate.publish(i % 4, probe::step{[](probe&) {}});
      if (auto other = whereis(system(), tuple_of("shared"_a, (i + 1) % 10)))
        end(other);
      if (i % 3 == 1)
        duplicate.unregister(i % 5, a);
      if (i % 3 == 2)
        unregister_name(system(), tuple_of("shared"_a, i % 10));
      end(a);
    }
  });
  system().await_all_actors_done();
  EXPECT_GT(named, 0);
  EXPECT_TRUE(registered(system()).empty());
  EXPECT_EQ(unique.count(), 0u);
  EXPECT_EQ(duplicate.count(), 0u);
}

TEST_F(RegistryThreads, ANameIsHandedFromAnEndingOwnerToTheNext) {
  constexpr int rounds = 300;
  std::vector<probe::log> logs(rounds + 1);
  auto owner = system().spawn<probe>(logs[0]);
  ASSERT_TRUE(register_name(system(), "a"_a, owner));
  for (int round = 1; round <= rounds; ++round) {
    auto next = system().spawn<probe>(logs[static_cast<std::size_t>(round)]);
    std::promise<void> gone;
    actors::exit_observer::attach(owner, nullptr, [&](const caf::error&) { gone.set_value(); });
    std::thread rival{[&] {
      while (!register_name(system(), "a"_a, next))
        std::this_thread::yield();
      ASSERT_EQ(whereis(system(), "a"_a), next);
    }};
    end(owner);
    rival.join();
    gone.get_future().wait();
    ASSERT_EQ(whereis(system(), "a"_a), next) << "the former owner took it away";
    owner = next;
  }
  end(owner);
  system().await_all_actors_done();
  EXPECT_TRUE(registered(system()).empty());
}

/// Takes casts of `{Sender, N}` and checks that those of one sender come in order.
class listener : public actors::process {
 public:
  listener(caf::actor_config& config, std::atomic<int>& in_order, int expected)
      : process{config},
        in_order_{in_order},
        left_{expected} {}

  caf::message_handler receive() override {
    return {[this](const actors::cast& message) {
      const auto& pair = *message.request.get_if<actors::tuple>();
      auto& last = last_[*pair[0].as<int>()];
      const auto number = *pair[1].as<int>();
      in_order_ += number == last + 1 ? 1 : 0;
      last = number;
      if (--left_ == 0)
        exit(atoms::normal());
    }};
  }

 private:
  std::atomic<int>& in_order_;
  int left_;
  std::map<int, int> last_;
};

TEST_F(RegistryThreads, PublishKeepsTheOrderOfEachSender) {
  constexpr int messages = 250, listeners = 3;
  duplicate_registry registry;
  std::atomic<int> in_order = 0;
  for (int i = 0; i < listeners; ++i) // held by the registry alone
    registry.register_key("topic"_a, system().spawn<listener>(in_order, 4 * messages));
  in_four_threads([&](int sender) {
    for (int i = 1; i <= messages; ++i)
      registry.publish("topic"_a, actors::cast{tuple_of(sender, i)});
  });
  system().await_all_actors_done();
  EXPECT_EQ(in_order, listeners * 4 * messages);
  EXPECT_EQ(registry.count(), 0u);
}

} // namespace
} // namespace penning::test
