#include "support/deterministic.hpp"

#include <penning/actors/timer.hpp>

#include <future>
#include <string>

namespace penning::test {
namespace {

using actors::cancel_timer;
using actors::run_after;
using actors::send_after;
using actors::timer_ref;

/// Notes the terms that it gets, and does what it is told.
class clockmaker : public probe {
 public:
  clockmaker(caf::actor_config& config, log& remembered, std::vector<term>& got)
      : probe{config, remembered},
        got_{got} {}
  caf::message_handler receive() override {
    return caf::message_handler{[this](const term& what) { got_.push_back(what); }}.or_else(
      probe::receive());
  }

 private:
  std::vector<term>& got_;
};

class Timer : public deterministic {
 protected:
  using terms = std::vector<term>;

  Timer() { actor_ = spawn<clockmaker>(log_, got_); }
  ~Timer() override {
    tell([](probe& self) { self.exit(atoms::normal()); });
  }

  void tell(probe::step step) {
    if (!actor_)
      return;
    actors::post(actor_, std::move(step));
    run();
  }

  timer_ref start(std::chrono::milliseconds delay, term message) {
    timer_ref result;
    tell([&](probe& self) { result = send_after(&self, delay, message); });
    return result;
  }

  bool cancel(timer_ref timer) {
    bool result = false;
    tell([&](probe& self) { result = cancel_timer(&self, timer); });
    return result;
  }

  caf::scheduler::test_coordinator& clock() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system().scheduler());
  }

  /// Whether the process is still in memory once the test gives up its handle.
  bool outlives_its_handle() {
    const caf::actor_addr address = actor_.address();
    actor_ = nullptr;
    run();
    return caf::actor_cast<caf::actor>(address) != nullptr;
  }

  probe::log log_;
  terms got_;
  caf::actor actor_;
};

TEST_F(Timer, IsDueAfterItsDelayAndNotBefore) {
  start(100ms, 1);
  advance(99ms);
  EXPECT_EQ(got_, terms{});
  advance(1ms);
  EXPECT_EQ(got_, terms{1});
  advance(1000ms);
  EXPECT_EQ(got_, terms{1});
}

TEST_F(Timer, WithoutADelayIsDueAtOnce) {
  start(0ms, 1);
  EXPECT_EQ(got_, terms{1});
}

TEST_F(Timer, ComesByTimeAndThenInTheOrderOfTheirStarts) {
  start(30ms, 3);
  start(10ms, 1);
  start(30ms, 4);
  start(20ms, 2);
  advance(10ms);
  EXPECT_EQ(got_, terms{1});
  advance(20ms);
  EXPECT_EQ(got_, (terms{1, 2, 3, 4}));
}

TEST_F(Timer, ThatIsTakenBackDoesNotCome) {
  const auto first = start(10ms, 1);
  start(20ms, 2);
  EXPECT_TRUE(cancel(first));
  EXPECT_FALSE(cancel(first)) << "there is nothing left to take back";
  advance(1000ms);
  EXPECT_EQ(got_, terms{2});
}

TEST_F(Timer, IsTakenBackThoughItStandsInTheMailbox) {
  const auto timer = start(10ms, 1);
  bool cancelled = false;
  actors::post(actor_, probe::step{[&](probe& self) { cancelled = cancel_timer(&self, timer); }});
  clock().advance_time(10ms); // behind the step
  run();
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(got_, terms{});
}

TEST_F(Timer, IsTakenBackByOneThatIsDueAtTheSameTime) {
  timer_ref second;
  tell([&](probe& self) {
    run_after(&self, 10ms, [&] { EXPECT_TRUE(cancel_timer(&self, second)); });
    second = send_after(&self, 10ms, term{2});
  });
  advance(10ms);
  EXPECT_EQ(got_, terms{});
}

TEST_F(Timer, MayBeStartedAgainByItself) {
  int rounds = 0;
  std::function<void()> again;
  tell([&](probe& self) {
    again = [&] {
      if (++rounds < 3)
        run_after(&self, 0ms, again);
    };
    run_after(&self, 10ms, again);
  });
  advance(10ms);
  EXPECT_EQ(rounds, 3);
}

TEST_F(Timer, MayTakeAsLongAsErlangsAndNoLonger) {
  start(actors::max_delay, 1);
  advance(actors::max_delay - 1ms);
  EXPECT_EQ(got_, terms{});
  advance(1ms);
  EXPECT_EQ(got_, terms{1});
  tell([](probe& self) {
    EXPECT_THROW(send_after(&self, actors::max_delay + 1ms, term{}), std::invalid_argument);
    EXPECT_THROW(send_after(&self, -1ms, term{}), std::invalid_argument);
  });
}

TEST_F(Timer, OfADefaultMadeReferenceIsNone) {
  start(10ms, 1);
  EXPECT_FALSE(cancel({}));
}

TEST_F(Timer, DoesNotComeAfterTheEnd) {
  start(10ms, 1);
  tell([](probe& self) {
    run_after(&self, 10ms, [&self] { self.exit("enough"_a); });
    send_after(&self, 10ms, term{2});
  });
  advance(10ms);
  EXPECT_EQ(log_.ended, "enough"_a);
  EXPECT_EQ(got_, terms{1});
}

TEST_F(Timer, HoldsItsProcess) {
  start(10ms, 1);
  EXPECT_TRUE(outlives_its_handle());
  advance(10ms);
  EXPECT_EQ(got_, terms{1});
}

TEST_F(Timer, KeepsNoMemoryOnceItIsTakenBack) {
  cancel(start(1h, 1));
  EXPECT_FALSE(outlives_its_handle());
}

TEST_F(Timer, KeepsNoMemoryForLongOnceAShortOneIsTakenBack) {
  cancel(start(1s, 1));
  EXPECT_TRUE(outlives_its_handle()) << "else the clock would be set anew for each call";
  advance(1s);
  EXPECT_EQ(log_.ended, atoms::killed()) << "nobody can reach it";
}

TEST_F(Timer, KeepsNoMemoryOfAnEndedProcess) {
  start(1s, 1);
  start(1h, 1);
  tell([](probe& self) { self.exit("enough"_a); });
  EXPECT_FALSE(outlives_its_handle());
}

TEST_F(Timer, StartedWhileItsProcessEndsKeepsNoMemory) {
  tell([](probe& self) {
    self.exit("enough"_a);
    send_after(&self, 1h, term{1});
  });
  EXPECT_FALSE(outlives_its_handle());
}

TEST_F(Timer, ThatThrowsEndsItsProcess) {
  tell([](probe& self) { run_after(&self, 10ms, [] { throw std::runtime_error{"broken"}; }); });
  advance(10ms);
  EXPECT_EQ(log_.ended, tuple_of("exception"_a, "broken"));
}

// What the clock's thread has sent already when its alarm is taken back.
TEST_F(Timer, IsNotSilencedByOneThatRingsThoughItWasTakenBack) {
  tell([](probe& self) {
    run_after(&self, 1ms, [] {}); // makes the alarm, whose id comes before the next one
    const auto next = self.new_request_id(caf::message_priority::normal).integer_value();
    const auto alarm = caf::make_message_id(next - 1).response_id();
    send_after(&self, 50ms, term{1});
    self.eq_impl(alarm, self.ctrl(), self.context(), caf::sec::request_timeout);
  });
  advance(50ms);
  EXPECT_EQ(got_, terms{1});
  start(10ms, 2);
  advance(10ms);
  EXPECT_EQ(got_, (terms{1, 2}));
}

TEST_F(Timer, LeavesNothingOpenOnceItIsTakenBack) {
  tell([](probe& self) {
    cancel_timer(&self, run_after(&self, 1h, [] {}));
    EXPECT_TRUE(actors::detail::open_requests::of(self).empty());
  });
}

TEST(TimerOnThreads, ComesOnARealClock) {
  actors::system_config config{{4}};
  caf::actor_system system{config};
  probe::log log;
  std::promise<std::chrono::steady_clock::duration> due;
  auto actor = system.spawn<probe>(log);
  actors::post(actor, probe::step{[&](probe& self) {
                 cancel_timer(&self, run_after(&self, 1ms, [] { FAIL(); }));
                 run_after(&self, 1h, [] {});
                 run_after(&self, 20ms, [&, start = std::chrono::steady_clock::now()] {
                   due.set_value(std::chrono::steady_clock::now() - start);
                   self.exit(atoms::normal());
                 });
               }});
  auto result = due.get_future();
  ASSERT_EQ(result.wait_for(10s), std::future_status::ready);
  EXPECT_GE(result.get(), 20ms);
}

} // namespace
} // namespace penning::test
