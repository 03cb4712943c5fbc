#include "support/deterministic.hpp"

#include <array>
#include <atomic>
#include <future>
#include <string>

namespace penning::test {
namespace {

using testing::Test;

class Process : public deterministic {
 protected:
  void tell(const caf::actor& whom, probe::step step) {
    actors::post(whom, std::move(step));
    run();
  }
};

TEST_F(Process, ThatEndsEndsThoseLinkedToIt) {
  probe::log a_log, b_log;
  auto a = spawn<probe>(a_log);
  auto b = spawn<probe>(b_log);
  tell(a, [&](probe& self) { self.link(b); });
  tell(b, [](probe& self) { self.exit("boom"_a); });
  EXPECT_EQ(a_log.ended, "boom"_a);
}

TEST_F(Process, LinksBothWays) {
  probe::log a_log, b_log;
  auto a = spawn<probe>(a_log);
  auto b = spawn<probe>(b_log);
  tell(a, [&](probe& self) { self.link(b); });
  tell(a, [](probe& self) { self.exit("boom"_a); });
  EXPECT_EQ(b_log.ended, "boom"_a);
}

TEST_F(Process, SurvivesTheNormalEndOfALinkedOne) {
  probe::log a_log, b_log;
  auto a = spawn<probe>(a_log);
  auto b = spawn<probe>(b_log);
  tell(a, [&](probe& self) { self.link(b); });
  tell(b, [](probe& self) { self.exit(atoms::normal()); });
  EXPECT_EQ(b_log.ended, atoms::normal());
  EXPECT_FALSE(a_log.ended);
  tell(a, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(Process, ThatTrapsExitsIsToldOfThem) {
  probe::log a_log, b_log;
  auto a = spawn<probe>(a_log, true);
  auto b = spawn<probe>(b_log);
  tell(a, [&](probe& self) { self.link(b); });
  tell(b, [](probe& self) { self.exit(tuple_of("exit_status"_a, 3)); });
  ASSERT_EQ(a_log.exits.size(), 1u);
  EXPECT_EQ(a_log.exits[0].first, b.address());
  EXPECT_EQ(a_log.exits[0].second, tuple_of("exit_status"_a, 3));
  EXPECT_FALSE(a_log.ended);
  tell(a, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(Process, CannotTrapKillAndOthersReadKilled) {
  probe::log a_log, b_log;
  auto a = spawn<probe>(a_log, true);
  auto b = spawn<probe>(b_log, true);
  tell(a, [&](probe& self) { self.link(b); });
  actors::send_exit(b, {}, atoms::kill());
  run();
  EXPECT_EQ(b_log.ended, atoms::killed());
  ASSERT_EQ(a_log.exits.size(), 1u);
  EXPECT_EQ(a_log.exits[0].second, atoms::killed()) << "which can be trapped";
  tell(a, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(Process, IsKilledAheadOfWhatIsInItsMailbox) {
  probe::log log;
  bool ran = false;
  auto a = spawn<probe>(log);
  actors::post(a, probe::step{[&](probe&) { ran = true; }});
  actors::send_exit(a, {}, atoms::kill());
  run();
  EXPECT_EQ(log.ended, atoms::killed());
  EXPECT_FALSE(ran);
}

TEST_F(Process, HearsNothingOfAnUnlinkedOneNotEvenAQueuedSignal) {
  probe::log a_log, b_log;
  auto a = spawn<probe>(a_log, true);
  auto b = spawn<probe>(b_log);
  tell(a, [&](probe& self) { self.link(b); });
  // given an exit signal that stands in the mailbox behind the unlink
  actors::post(b, probe::step{[](probe& self) { self.exit("boom"_a); }});
  actors::post(a, probe::step{[&](probe& self) { self.unlink(b); }});
  run();
  EXPECT_TRUE(b_log.ended);
  EXPECT_TRUE(a_log.exits.empty());
  tell(a, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(Process, LinkedToADeadOneGetsNoproc) {
  probe::log a_log, b_log;
  auto a = spawn<probe>(a_log, true);
  auto b = spawn<probe>(b_log);
  tell(b, [](probe& self) { self.exit("boom"_a); });
  tell(a, [&](probe& self) { self.link(b); });
  ASSERT_EQ(a_log.exits.size(), 1u);
  EXPECT_EQ(a_log.exits[0].second, atoms::noproc());
  tell(a, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(Process, GetsOneDownPerMonitorAndNoprocForTheDead) {
  probe::log a_log, b_log;
  auto a = spawn<probe>(a_log);
  auto b = spawn<probe>(b_log);
  tell(a, [&](probe& self) {
    self.monitor(b);
    self.monitor(b);
  });
  tell(b, [](probe& self) { self.exit("boom"_a); });
  tell(a, [&](probe& self) { self.monitor(b); });
  ASSERT_EQ(a_log.downs.size(), 3u);
  EXPECT_EQ(a_log.downs[0].second, "boom"_a);
  EXPECT_EQ(a_log.downs[1].second, "boom"_a);
  EXPECT_EQ(a_log.downs[2].second, atoms::noproc());
  tell(a, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(Process, HearsNothingAfterDemonitor) {
  probe::log a_log, b_log;
  auto a = spawn<probe>(a_log);
  auto b = spawn<probe>(b_log);
  tell(a, [&](probe& self) { self.demonitor(self.monitor(b)); });
  tell(b, [](probe& self) { self.exit("boom"_a); });
  EXPECT_TRUE(a_log.downs.empty());
  tell(a, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(Process, ThatThrowsEndsWithTheExceptionAsReason) {
  probe::log a_log, b_log;
  auto a = spawn<probe>(a_log, true);
  auto b = spawn<probe>(b_log);
  tell(a, [&](probe& self) { self.link(b); });
  tell(b, [](probe&) { throw std::runtime_error{"broken"}; });
  ASSERT_EQ(a_log.exits.size(), 1u);
  EXPECT_EQ(a_log.exits[0].second, tuple_of("exception"_a, "broken"));
  tell(a, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(Process, StartedByAPlainActorIsLinkedToIt) {
  probe::log log;
  caf::actor child;
  {
    caf::scoped_actor parent{system()};
    child = actors::start_link<probe>(*parent, log, true);
    run();
    parent->receive([](const actors::init_ack& ack) { EXPECT_EQ(ack.result, atoms::ok()); });
  }
  run();
  ASSERT_EQ(log.exits.size(), 1u) << "its parent has ended";
  EXPECT_EQ(log.exits[0].second, atoms::normal());
  tell(child, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(Process, ObeysCafsOwnExitMessage) {
  probe::log log;
  auto a = spawn<probe>(log);
  caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  run();
  EXPECT_EQ(log.ended, atoms::shutdown());
}

TEST_F(Process, ComesToNoHarmBySendingWhatIsNotUnderstood) {
  probe::log a_log, b_log;
  auto a = spawn<probe>(a_log);
  auto b = spawn<probe>(b_log);
  tell(a, [&](probe& self) { actors::send(&self, b, actors::closed{}); });
  EXPECT_FALSE(a_log.ended);
  EXPECT_FALSE(b_log.ended);
  tell(a, [](probe& self) { self.exit(atoms::normal()); });
  tell(b, [](probe& self) { self.exit(atoms::normal()); });
}

} // namespace

/// Its `init` does what a test tells it.
class starter : public actors::process {
 public:
  using function = std::function<actors::start_result(starter&)>;
  using step = std::function<void(starter&)>;

  starter(caf::actor_config& config, function init) : process{config}, init_{std::move(init)} {}
  actors::start_result init() override { return init_(*this); }
  caf::message_handler receive() override {
    return {[this](const step& run) { run(*this); }};
  }

  using process::acknowledge;

 protected:
  void terminate(const term&) override { init_ = {}; } // and with it what it holds

 private:
  function init_;
};

} // namespace penning::test

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::test::starter::step)

namespace penning::test {
namespace {

using actors::start_result;
using enum start_result::kind;

class ProcessStart : public Process {
 protected:
  ProcessStart() { parent_ = spawn<probe>(log_, true); }
  ~ProcessStart() override {
    tell(parent_, [](probe& self) { self.exit(atoms::shutdown()); });
  }

  actors::started start(const starter::function& init) {
    actors::started result;
    tell(parent_, [&](probe& self) { result = self.start_link<starter>(init); });
    return result;
  }

  probe::log log_;
  caf::actor parent_;
};

TEST_F(ProcessStart, GivesAProcessThatIsUp) {
  const auto up = start([](auto&) { return start_result{ok, 42}; });
  EXPECT_EQ(up.result.how, ok);
  EXPECT_EQ(up.result.value, 42);
  ASSERT_TRUE(up.pid);
  EXPECT_TRUE(actors::process::is_alive(up.pid));
  EXPECT_TRUE(log_.acks.empty()) << "all has been told";
}

TEST_F(ProcessStart, ThatFailsGivesTheReasonAndSendsNoExitSignal) {
  const auto refused = start([](auto&) { return start_result{stop, "no"_a}; });
  EXPECT_EQ(refused.result.how, stop);
  EXPECT_EQ(refused.result.value, "no"_a);
  EXPECT_FALSE(refused.pid);
  const auto ignored = start([](auto&) { return start_result{ignore, {}}; });
  EXPECT_EQ(ignored.result.how, ignore);
  EXPECT_FALSE(ignored.pid);
  const auto broken = start([](auto&) -> start_result { throw std::runtime_error{"broken"}; });
  EXPECT_EQ(broken.result.how, stop);
  EXPECT_EQ(broken.result.value, tuple_of("exception"_a, "broken"));
  EXPECT_FALSE(broken.pid);
  EXPECT_TRUE(log_.exits.empty());
  EXPECT_TRUE(log_.acks.empty());
}

TEST_F(ProcessStart, BySpawnLinkFailsAsAnEndDoes) {
  tell(parent_, [](probe& self) {
    self.spawn_link<starter>([](auto&) { return start_result{stop, "no"_a}; });
  });
  ASSERT_EQ(log_.exits.size(), 1u);
  EXPECT_EQ(log_.exits[0].second, "no"_a);
  EXPECT_TRUE(log_.acks.empty());
}

TEST_F(ProcessStart, ThatIsPendingTellsLater) {
  const auto pending_ok = start([](auto&) { return start_result{pending, {}}; });
  const auto pending_stop = start([](auto&) { return start_result{pending, {}}; });
  EXPECT_EQ(pending_ok.result.how, pending);
  ASSERT_TRUE(pending_ok.pid && pending_stop.pid);
  run();
  EXPECT_TRUE(log_.acks.empty());
  const auto acknowledge = [&](const caf::actor& child, start_result result) {
    actors::post(child, starter::step{[=](starter& self) { self.acknowledge(result); }});
    run();
  };
  acknowledge(pending_ok.pid, {ok, 42});
  acknowledge(pending_stop.pid, {stop, "no"_a});
  ASSERT_EQ(log_.acks.size(), 2u);
  EXPECT_EQ(log_.acks[0].first, pending_ok.pid.address());
  EXPECT_EQ(log_.acks[0].second.how, ok);
  EXPECT_EQ(log_.acks[0].second.value, 42);
  EXPECT_EQ(log_.acks[1].second.how, stop);
  EXPECT_EQ(log_.acks[1].second.value, "no"_a);
  EXPECT_TRUE(log_.exits.empty()) << "the answer is enough";
  EXPECT_FALSE(actors::process::is_alive(pending_stop.pid));
  tell(parent_, [&](probe& self) {
    EXPECT_TRUE(self.is_linked(pending_ok.pid.address()));
    EXPECT_FALSE(self.is_linked(pending_stop.pid.address()));
  });
}

TEST_F(ProcessStart, HasItsAcknowledgementInInitCount) {
  const auto up = start([](starter& self) {
    self.acknowledge({ok, 42});
    return start_result{pending, {}};
  });
  EXPECT_EQ(up.result.how, ok);
  EXPECT_EQ(up.result.value, 42);
}

TEST_F(ProcessStart, ThatFailsIsGoneAndHasToldItsChildrenBeforeItReturns) {
  probe::log grandchild_log;
  caf::actor child, grandchild;
  bool child_alive = true;
  std::size_t told = 0;
  tell(parent_, [&](probe& self) {
    self.start_link<starter>([&](starter& s) {
      child = caf::actor{&s};
      grandchild = s.start_link<probe>(grandchild_log, true).pid;
      return start_result{stop, "no"_a};
    });
    child_alive = actors::process::is_alive(child);
    actors::post(grandchild, probe::step{[&](probe&) { told = grandchild_log.exits.size(); }});
  });
  EXPECT_FALSE(child_alive);
  EXPECT_EQ(told, 1u) << "the signal stood in its mailbox already";
  tell(grandchild, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(ProcessStart, ThatFailsSendsAPlainParentNoExitMessageEither) {
  caf::scoped_actor parent{system()};
  actors::start_link<starter>(*parent, starter::function{[](auto&) {
    return start_result{stop, "no"_a};
  }});
  parent->receive(
    [](const actors::init_ack& ack) { EXPECT_EQ(ack.result, tuple_of(atoms::error(), "no"_a)); },
    [](const caf::exit_msg&) { FAIL() << "the answer is enough"; });
  EXPECT_FALSE(parent->has_next_message());
}

TEST_F(Process, IsEndedByASignalAheadOfWhatIsInItsMailbox) {
  probe::log a_log, b_log;
  bool ran = false;
  auto a = spawn<probe>(a_log);
  auto b = spawn<probe>(b_log);
  tell(a, [&](probe& self) { self.link(b); });
  tell(b, [&](probe& self) {
    actors::post(a, probe::step{[&](probe&) { ran = true; }});
    self.exit("boom"_a);
  });
  EXPECT_EQ(a_log.ended, "boom"_a);
  EXPECT_FALSE(ran);
}

TEST_F(Process, ThatTrapsExitsGetsASignalInItsPlace) {
  probe::log a_log, b_log;
  std::size_t exits_before = 9, exits_after = 9;
  auto a = spawn<probe>(a_log, true);
  auto b = spawn<probe>(b_log);
  tell(a, [&](probe& self) { self.link(b); });
  actors::post(a, probe::step{[&](probe&) { exits_before = a_log.exits.size(); }});
  actors::send_exit(a, b.address(), "boom"_a);
  actors::post(a, probe::step{[&](probe&) { exits_after = a_log.exits.size(); }});
  run();
  EXPECT_EQ(exits_before, 0u);
  EXPECT_EQ(exits_after, 1u);
  tell(a, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(Process, LinkedAgainAfterAnUnlinkHearsOfTheEnd) {
  probe::log a_log, b_log;
  auto a = spawn<probe>(a_log, true);
  auto b = spawn<probe>(b_log, true);
  tell(a, [&](probe& self) {
    self.link(b);
    self.unlink(b);
    self.link(b);
  });
  tell(b, [](probe& self) { self.exit("boom"_a); });
  EXPECT_EQ(a_log.exits.size(), 1u);
  tell(a, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(Process, UnlinkedAfterALinkHearsOfNothing) {
  probe::log a_log, b_log;
  auto a = spawn<probe>(a_log, true);
  auto b = spawn<probe>(b_log, true);
  tell(a, [&](probe& self) {
    self.link(b);
    self.unlink(b);
  });
  tell(b, [&](probe& self) { EXPECT_FALSE(self.is_linked(a.address())); });
  tell(b, [](probe& self) { self.exit("boom"_a); });
  EXPECT_TRUE(a_log.exits.empty());
  tell(a, [](probe& self) { self.exit(atoms::normal()); });
}

// -- on four threads ------------------------------------------------------------------------------

/// Posts to its parent at once, from whichever thread it runs on.
class eager : public actors::process {
 public:
  using promise = std::shared_ptr<std::promise<void>>;

  eager(caf::actor_config& config, caf::actor to, promise posted)
      : process{config},
        to_{std::move(to)},
        posted_{std::move(posted)} {}
  caf::message_handler receive() override {
    return {[this](const term& text) {
      actors::post(to_, text);
      posted_->set_value();
    }};
  }
  void terminate(const term&) override { to_ = nullptr; }

 private:
  caf::actor to_;
  promise posted_;
};

/// Notes the order of what happens to it.
class orderly : public actors::process {
 public:
  orderly(caf::actor_config& config, std::promise<std::vector<std::string>>& ended)
      : process{config},
        ended_{ended} {}

  start_result init() override {
    auto posted = std::make_shared<std::promise<void>>();
    grandchild_ = start_link<eager>(caf::actor{this}, posted).pid;
    actors::post(grandchild_, term{"early"_a});
    posted->get_future().wait(); // it stands in the mailbox now
    events_.emplace_back("init");
    return {};
  }
  caf::message_handler receive() override {
    return {[this](const term& text) {
      events_.push_back(to_string(text));
      exit(atoms::shutdown());
    }};
  }
  void terminate(const term&) override {
    grandchild_ = nullptr;
    ended_.set_value(events_);
  }

 private:
  std::vector<std::string> events_;
  std::promise<std::vector<std::string>>& ended_;
  caf::actor grandchild_;
};

TEST(ProcessOnThreads, RunsInitBeforeWhatAGrandchildPostsMeanwhile) {
  for (int round = 0; round < 20; ++round) {
    actors::system_config config{{4}};
    caf::actor_system system{config};
    std::promise<std::vector<std::string>> ended;
    auto events = ended.get_future();
    caf::scoped_actor parent{system};
    auto child = actors::start_link<orderly>(*parent, ended);
    ASSERT_EQ(events.wait_for(10s), std::future_status::ready);
    EXPECT_EQ(events.get(), (std::vector<std::string>{"init", "early"}));
  }
}

class refuses_to_start : public actors::process {
 public:
  using process::process;

 protected:
  actors::start_result init() override { return {actors::start_result::kind::ignore}; }
  caf::message_handler receive() override { return {}; }
};

TEST(ProcessOnThreads, MayFailToStartThoughItWouldHaveHadAThreadOfItsOwn) {
  actors::system_config config{{2}};
  caf::actor_system system{config};
  const auto actor = system.spawn<refuses_to_start, caf::detached>();
  EXPECT_FALSE(actors::process::is_alive(actor));
}

TEST(ProcessOnThreads, ThatEndsDoesNotWaitForOneItLinksTo) {
  probe::log log;
  std::promise<void> linked, ended;
  actors::system_config config{{3}};
  caf::actor_system system{config};
  auto busy = system.spawn<probe>(log);
  actors::post(busy, probe::step{[&](probe&) { linked.get_future().wait(); }});
  auto ending = system.spawn<probe>(log);
  actors::process::at_end(ending, [&] { ended.set_value(); });
  actors::post(ending, probe::step{[&](probe& self) {
                 self.exit("enough"_a);
                 self.link(busy);
               }});
  ending = nullptr;
  EXPECT_EQ(ended.get_future().wait_for(10s), std::future_status::ready);
  linked.set_value();
}

TEST(ProcessOnThreads, TellsEachOfManyMonitorsOnce) {
  actors::system_config config{{4}};
  caf::actor_system system{config};
  for (int round = 0; round < 20; ++round) {
    probe::log of_target;
    auto target = system.spawn<probe>(of_target);
    constexpr int watchers = 20;
    std::array<probe::log, watchers> logs;
    std::atomic<int> left{watchers};
    std::promise<void> all;
    for (auto& log : logs) {
      auto watcher = system.spawn<probe>(log);
      actors::process::at_end(watcher, [&] {
        if (--left == 0)
          all.set_value();
      });
      actors::post(watcher, probe::step{[target](probe& self) {
                     self.demonitor(self.monitor(target));
                     self.monitor(target);
                     run_after(&self, 50ms, [&self] { self.exit(atoms::normal()); });
                   }});
    }
    actors::send_exit(target, {}, "bye"_a); // before some of them, after others
    all.get_future().wait();
    for (const auto& log : logs) {
      ASSERT_EQ(log.downs.size(), 1u);
      const auto& reason = log.downs[0].second;
      EXPECT_TRUE(reason == "bye"_a || reason == atoms::noproc()) << to_string(reason);
    }
  }
}

TEST(Runtime, NeedsAThread) {
  EXPECT_THROW(actors::runtime{{.threads = 0}}, std::invalid_argument);
}

} // namespace
} // namespace penning::test
