#include "support/deterministic.hpp"

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
  actors::post(a, probe::step{[&](probe& self) { self.unlink(b); }});
  actors::post(b, probe::step{[](probe& self) { self.exit("boom"_a); }});
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

/// Ends in `init`, in the way that it is told.
class refusing : public actors::process {
 public:
  refusing(caf::actor_config& config, std::function<actors::start_result()> init)
      : process{config},
        init_{std::move(init)} {}
  actors::start_result init() override { return init_(); }
  caf::message_handler receive() override { return {}; }

 private:
  std::function<actors::start_result()> init_;
};

TEST_F(Process, TellsItsParentHowTheStartWent) {
  using enum actors::start_result::kind;
  probe::log log;
  auto parent = spawn<probe>(log, true);
  caf::actor up; // held: an actor that nobody can reach ends
  tell(parent, [&](probe& self) {
    up = self.start_link<refusing>([] { return actors::start_result{ok, 42}; });
  });
  tell(parent, [](probe& self) {
    self.start_link<refusing>([] { return actors::start_result{stop, "no"_a}; });
  });
  tell(parent, [](probe& self) {
    self.start_link<refusing>([] { return actors::start_result{ignore, {}}; });
  });
  tell(parent, [](probe& self) {
    self.start_link<refusing>([]() -> actors::start_result { throw std::runtime_error{"broken"}; });
  });
  ASSERT_EQ(log.acks.size(), 4u);
  EXPECT_EQ(log.acks[0].second, tuple_of("ok"_a, 42));
  EXPECT_EQ(log.acks[1].second, tuple_of("error"_a, "no"_a));
  EXPECT_EQ(log.acks[2].second, "ignore"_a);
  EXPECT_EQ(log.acks[3].second, tuple_of("error"_a, tuple_of("exception"_a, "broken")));
  EXPECT_EQ(log.exits.size(), 3u) << "of those that ended";
  tell(parent, [](probe& self) { self.exit(atoms::shutdown()); });
}

} // namespace
} // namespace penning::test
