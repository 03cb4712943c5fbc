#include "support/deterministic.hpp"

#include <penning/supervision/task_supervisor.hpp>

#include <future>
#include <memory>
#include <string>
#include <thread>

namespace penning::test {
namespace {
using namespace supervision;
using actors::exit_with;
using actors::process;

/// A process that runs tasks, in virtual time. While their supervisor is suspended none starts.
class Tasks : public deterministic {
 protected:
  Tasks() { begin({}); }

  ~Tasks() override {
    tasks_ = task_supervisor::ref{};
    for (const auto& each : {parent_, caller_})
      actors::send_exit(each, {}, atoms::kill());
    advance(10s);
  }

  void begin(dynamic_options options, bool traps = false) {
    if (parent_)
      actors::send_exit(parent_, {}, atoms::kill());
    parent_ = spawn<probe>(ignored_, true);
    caller_ = spawn<probe>(log_, traps);
    run();
    log_ = {}; // of the former one
    in(parent_, [&](probe& self) {
      tasks_ = task_supervisor::ref{self.start_link<task_supervisor>(options).pid};
    });
  }

  void in(const caf::actor& who, probe::step what) {
    actors::post(who, std::move(what));
    run();
  }
  void in_caller(probe::step what) { in(caller_, std::move(what)); }

  void suspend() { actors::post(tasks_.actor(), supervision::suspend{}), run(); }
  void resume() { actors::post(tasks_.actor(), supervision::resume{}), run(); }

  child_counts count() {
    child_counts result;
    in(parent_, [&](probe& self) {
      actors::request(&self, tasks_.actor(), count_children{}).then([&](child_counts& counts) {
        result = counts;
      });
    });
    return result;
  }

  const std::optional<term>& caller_end() const { return log_.ended; }

  task_supervisor::ref tasks_;
  probe::log log_, ignored_;
  caf::actor parent_, caller_;
};

TEST_F(Tasks, GiveTheirValueToTheCaller) {
  int sum = 0;
  in_caller([&](probe& self) {
    tasks_.async(&self, [] { return 40 + 2; }).await([&](int value) { sum += value; });
  });
  EXPECT_EQ(sum, 42) << "and once";
  EXPECT_FALSE(caller_end());
  EXPECT_EQ(count().specs, 0u) << "the task is gone";
}

TEST_F(Tasks, TakeAndGiveWhatCanOnlyBeMoved) {
  std::unique_ptr<int> result;
  in_caller([&](probe& self) {
    tasks_.async(&self, [p = std::make_unique<int>(7)]() mutable { return std::move(p); })
      .await([&, keep = std::make_unique<int>(0)](std::unique_ptr<int> value) {
        result = std::move(value);
      });
  });
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, 7);
}

TEST_F(Tasks, MayGiveNothing) {
  bool ran = false, told = false;
  in_caller(
    [&](probe& self) { tasks_.async(&self, [&] { ran = true; }).await([&] { told = true; }); });
  EXPECT_TRUE(ran && told);
}

TEST_F(Tasks, TellTheirValueAlsoLater) {
  std::optional<task<int>> task;
  int result = 0;
  in_caller([&](probe& self) { task = tasks_.async(&self, [] { return 1; }); });
  EXPECT_EQ(count().specs, 0u);
  in_caller([&](probe&) { task->await([&](int value) { result = value; }); });
  EXPECT_EQ(result, 1);
}

TEST_F(Tasks, CrashWithTheirCaller) {
  in_caller([&](probe& self) { tasks_.async(&self, []() -> int { throw exit_with{"boom"_a}; }); });
  ASSERT_TRUE(caller_end());
  EXPECT_EQ(*caller_end(), "boom"_a);
}

TEST_F(Tasks, SendTheirExitSignalToACallerThatTrapsIt) {
  begin({}, true);
  in_caller([&](probe& self) { tasks_.async(&self, [] { throw std::runtime_error{"no"}; }); });
  ASSERT_EQ(log_.exits.size(), 1u);
  EXPECT_EQ(log_.exits[0].second, tuple_of("exception"_a, "no"));
  EXPECT_FALSE(caller_end());
}

TEST_F(Tasks, WithoutALinkEndAlone) {
  std::optional<task<void>> task;
  in_caller(
    [&](probe& self) { task = tasks_.async_nolink(&self, [] { throw exit_with{"boom"_a}; }); });
  EXPECT_FALSE(caller_end());
  in_caller([&](probe&) { task->await(std::nullopt, [] { FAIL() << "a value"; }); });
  ASSERT_TRUE(caller_end());
  EXPECT_EQ(*caller_end(), tuple_of("boom"_a, tuple_of("task"_a, "await"_a, "infinity"_a)));
}

TEST_F(Tasks, AreAwaitedForALimitedTime) {
  suspend();
  bool ran = false, told = false;
  in_caller([&](probe& self) {
    tasks_.async(&self, [&] { ran = true; }).await(100ms, [&] { told = true; });
  });
  advance(99ms);
  EXPECT_FALSE(caller_end());
  advance(1ms);
  ASSERT_TRUE(caller_end());
  EXPECT_EQ(*caller_end(), tuple_of("timeout"_a, tuple_of("task"_a, "await"_a, 100)));
  resume();
  EXPECT_FALSE(ran || told);
}

TEST_F(Tasks, DoNotBeginOnceTheirCallerHasEnded) {
  for (const bool linked : {true, false}) {
    suspend();
    bool ran = false;
    in_caller([&](probe& self) {
      const auto call = [&] { ran = true; };
      linked ? tasks_.async(&self, call) : tasks_.async_nolink(&self, call);
    });
    actors::send_exit(caller_, {}, "boom"_a);
    resume();
    EXPECT_FALSE(ran);
    EXPECT_EQ(count().specs, 0u);
    caller_ = spawn<probe>(log_);
  }
}

TEST_F(Tasks, CanBeAskedWhetherTheyHaveEnded) {
  suspend();
  std::optional<task<int>> task;
  std::vector<task_outcome<int>> seen;
  const auto ask = [&](probe&) {
    task->yield(100ms, [&](task_outcome<int> outcome) { seen.push_back(outcome); });
  };
  in_caller([&](probe& self) { task = tasks_.async(&self, [] { return 3; }); });
  in_caller(ask);
  advance(100ms);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_FALSE(seen[0].is_known());
  in_caller(ask);
  resume();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[1].value, 3);
  advance(100ms);
  EXPECT_EQ(seen.size(), 2u) << "once";
}

TEST_F(Tasks, TellAReasonInsteadOfAValue) {
  task_outcome<int> seen;
  in_caller([&](probe& self) {
    tasks_.async_nolink(&self, []() -> int { throw exit_with{"boom"_a}; })
      .yield([&](task_outcome<int> outcome) { seen = outcome; });
  });
  EXPECT_FALSE(seen.value);
  EXPECT_EQ(seen.exit, term{"boom"_a});
}

TEST_F(Tasks, AreAskedOneThingAtATime) {
  suspend();
  in_caller([&](probe& self) {
    auto task = tasks_.async(&self, [] {});
    task.yield([](auto) {});
    task.await([] {});
  });
  ASSERT_TRUE(caller_end());
  EXPECT_EQ(*caller_end(), tuple_of("exception"_a, "task: it is being waited for already"));
}

TEST_F(Tasks, TellTheirEndOnce) {
  std::optional<task<void>> task;
  int told = 0;
  const auto again = [&](probe&) {
    task->await([&] { ++told; });
    task->await([&] { ++told; });
  };
  in_caller([&](probe& self) { task = tasks_.async(&self, [] {}); });
  in_caller(again);
  ASSERT_TRUE(caller_end());
  EXPECT_EQ(*caller_end(), tuple_of("exception"_a, "task: its end has been told already"));

  caller_ = spawn<probe>(log_);
  log_ = {};
  in_caller([&](probe& self) {
    task = tasks_.async(&self, [] {});
    task->await([&] { ++told; });
  });
  in_caller(again);
  ASSERT_TRUE(caller_end());
  EXPECT_EQ(*caller_end(), tuple_of("exception"_a, "task: its end has been told already"));
  EXPECT_EQ(told, 1);
}

TEST_F(Tasks, AreStoppedBeforeTheyBegin) {
  suspend();
  bool ran = false;
  std::optional<task_outcome<void>> seen;
  in_caller([&](probe& self) {
    tasks_.async(&self, [&] { ran = true; }).shutdown([&](task_outcome<void> o) { seen = o; });
  });
  EXPECT_FALSE(seen) << "not before it is down";
  resume();
  EXPECT_FALSE(ran);
  ASSERT_TRUE(seen);
  EXPECT_FALSE(seen->is_known());
  EXPECT_FALSE(caller_end()) << "its link was taken back";
  EXPECT_EQ(count().specs, 0u);
}

TEST_F(Tasks, AreUnlinkedWhenTheyAreStopped) {
  begin({}, true);
  std::optional<task<void>> task;
  task_outcome<void> seen;
  in_caller([&](probe& self) {
    task = tasks_.async(&self, [&] {
      actors::post(caller_, probe::step{[&](probe&) {
                     task->shutdown([&](task_outcome<void> outcome) { seen = outcome; });
                   }});
      throw exit_with{"boom"_a};
    });
  });
  EXPECT_EQ(seen.exit, term{"boom"_a});
  EXPECT_TRUE(log_.exits.empty());
}

TEST_F(Tasks, GiveWhatTheyHaveWhenTheyAreStopped) {
  std::optional<task<int>> task, failed;
  in_caller([&](probe& self) {
    task = tasks_.async(&self, [] { return 5; });
    failed = tasks_.async_nolink(&self, []() -> int { throw exit_with{"boom"_a}; });
  });
  std::vector<task_outcome<int>> seen;
  in_caller([&](probe&) {
    for (auto* each : {&task, &failed})
      (*each)->shutdown([&](task_outcome<int> outcome) { seen.push_back(outcome); });
  });
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].value, 5);
  EXPECT_EQ(seen[1].exit, term{"boom"_a});
}

TEST_F(Tasks, EndTheirCallerIfTheyAreTooMany) {
  begin({.max_children = 0}, true);
  in_caller([&](probe& self) { tasks_.async(&self, [] {}); });
  ASSERT_TRUE(caller_end());
  EXPECT_EQ(*caller_end(), tuple_of("max_children"_a, tuple_of("task"_a, "async"_a)));
}

TEST_F(Tasks, WithoutALinkTellThatTheyAreTooMany) {
  begin({.max_children = 0});
  task_outcome<void> seen;
  std::optional<supervisor_reply> reply;
  in_caller([&](probe& self) {
    tasks_.async_nolink(&self, [] {}).yield([&](task_outcome<void> o) { seen = o; });
    tasks_.start_child(
      &self, [] {}, [&](const supervisor_reply& r) { reply = r; });
  });
  EXPECT_EQ(seen.exit, term{"max_children"_a});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->result, tuple_of("error"_a, "max_children"_a));
  EXPECT_FALSE(caller_end());
}

TEST_F(Tasks, NeedASupervisor) {
  actors::send_exit(tasks_.actor(), parent_.address(), atoms::shutdown());
  run();
  task_outcome<void> seen;
  in_caller([&](probe& self) {
    tasks_.async_nolink(&self, [] {}).yield([&](task_outcome<void> o) { seen = o; });
  });
  EXPECT_EQ(seen.exit, term{"noproc"_a});
  in_caller([&](probe& self) {
    tasks_.start_child(
      &self, [] {}, [](const auto&) {});
  });
  ASSERT_TRUE(caller_end());
  EXPECT_EQ(*caller_end(), tuple_of("noproc"_a, tuple_of("task"_a, "start_child"_a)));
}

TEST_F(Tasks, RunForNobody) {
  int runs = 0;
  std::optional<supervisor_reply> reply;
  in_caller([&](probe& self) {
    tasks_.start_child(
      &self,
      [&] {
        ++runs;
        throw exit_with{"boom"_a};
      },
      [&, keep = std::make_unique<int>(0)](const supervisor_reply& r) { reply = r; });
  });
  EXPECT_EQ(runs, 1);
  ASSERT_TRUE(reply && reply->is_ok());
  EXPECT_FALSE(caller_end());
  EXPECT_EQ(count().specs, 0u);
}

TEST_F(Tasks, RunAgainIfTheyAreToBeRestarted) {
  int runs = 0;
  in_caller([&](probe& self) {
    tasks_.start_child(
      &self,
      [&] {
        if (++runs < 3)
          throw exit_with{"boom"_a};
      },
      [](const auto&) {}, {.restart = restart_type::transient});
  });
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(count().specs, 0u);
}

TEST_F(Tasks, AreForgottenWithTheirCaller) {
  auto held = std::make_shared<int>(1);
  suspend();
  in_caller([&](probe& self) {
    auto task = tasks_.async(&self, [held] {});
    task.yield([task, held](const auto&) {});
  });
  actors::send_exit(caller_, {}, "boom"_a);
  resume();
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(Tasks, GiveUpWhatTheyHoldBeforeTheyTellTheirEnd) {
  auto held = std::make_shared<int>(1);
  long done = 0, failed = 0;
  in_caller([&](probe& self) {
    tasks_.async(&self, [held] { return *held; }).await([&](int) { done = held.use_count(); });
    tasks_.async_nolink(&self, [held] { throw exit_with{"boom"_a}; }).yield([&](const auto&) {
      failed = held.use_count();
    });
  });
  EXPECT_EQ(done, 1);
  EXPECT_EQ(failed, 1);
}

TEST(TasksOnThreads, TellAProcessAllTheirValues) {
  constexpr int count = 300;
  int total = 0, left = count;
  std::promise<int> sum;
  probe::log log;
  actors::system_config config{{2}};
  caf::actor_system system{config};
  const auto run = [&](probe& self) {
    const task_supervisor::ref tasks{self.start_link<task_supervisor>().pid};
    for (int i = 0; i < count; ++i)
      tasks.async(&self, [i] { return i; }).await([&, tasks](int value) {
        total += value;
        if (--left == 0) {
          sum.set_value(total);
          self.exit(atoms::shutdown());
        }
      });
  };
  const auto caller = system.spawn<probe>(log);
  actors::post(caller, probe::step{run});
  EXPECT_EQ(sum.get_future().get(), count * (count - 1) / 2);
}

/// Holds a task until the test lets it go; one that waits says so.
struct gate {
  std::promise<void> begun, opened;

  void pass() {
    begun.set_value();
    opened.get_future().wait();
  }
};

class TasksOfAThread : public ::testing::Test {
 protected:
  ~TasksOfAThread() override {
    actors::send_exit(tasks_.actor(), self_.address(), atoms::shutdown());
    self_->wait_for(tasks_.actor());
  }

  void bound(std::uint64_t max) {
    tasks_ = task_supervisor::ref{
      actors::start_link<task_supervisor>(*self_, dynamic_options{.max_children = max})};
  }

  gate way_;
  actors::system_config config_{{1}};
  caf::actor_system system_{config_};
  caf::scoped_actor self_{system_};
  task_supervisor::ref tasks_{actors::start_link<task_supervisor>(*self_)};
};

TEST_F(TasksOfAThread, GiveTheirValue) {
  auto made =
    tasks_.async(self_, [p = std::make_unique<int>(7)]() mutable { return std::move(p); });
  EXPECT_EQ(*made.await(), 7);
  tasks_.async_nolink(self_, [] {}).await(std::nullopt);
}

TEST_F(TasksOfAThread, ThrowTheirReason) {
  auto failing = tasks_.async(self_, []() -> int { throw exit_with{"boom"_a}; });
  try {
    failing.await();
    FAIL() << "a value";
  } catch (const task_failed& failed) {
    EXPECT_EQ(failed.reason, "boom"_a);
  }
}

TEST_F(TasksOfAThread, AreDroppedAfterATimeout) {
  auto slow = tasks_.async(self_,
                           [&] {
                             way_.pass();
                             return 1;
                           },
                           {.detached = true});
  EXPECT_FALSE(slow.yield(0ms).is_known());
  try {
    slow.await(0ms);
    FAIL() << "a value";
  } catch (const task_failed& failed) {
    EXPECT_EQ(failed.reason, "timeout"_a);
  }
  way_.opened.set_value();
  EXPECT_THROW(slow.await(), std::logic_error);
}

TEST_F(TasksOfAThread, CanBeAskedTwice) {
  auto slow = tasks_.async(self_,
                           [&] {
                             way_.pass();
                             return 1;
                           },
                           {.detached = true});
  EXPECT_FALSE(slow.yield(0ms).is_known());
  way_.opened.set_value();
  EXPECT_EQ(slow.yield(std::nullopt).value, 1);
}

TEST_F(TasksOfAThread, BlockNobodyElseIfTheyAreDetached) {
  auto blocked = tasks_.async(self_, [&] { way_.pass(); }, {.detached = true});
  way_.begun.get_future().wait();
  EXPECT_EQ(tasks_.async(self_, [] { return 2; }).await(), 2) << "on the only thread for actors";
  way_.opened.set_value();
  blocked.await();
}

TEST_F(TasksOfAThread, AreStoppedOnceTheyAreDone) {
  auto slow = tasks_.async(self_,
                           [&] {
                             way_.pass();
                             return 3;
                           },
                           {.detached = true});
  way_.begun.get_future().wait();
  std::jthread later{[&] { way_.opened.set_value(); }};
  EXPECT_EQ(slow.shutdown().value, 3) << "waited for, for it cannot be interrupted";
}

TEST_F(TasksOfAThread, AreRefused) {
  bound(0);
  try {
    tasks_.async(self_, [] {});
    FAIL() << "started";
  } catch (const task_failed& failed) {
    EXPECT_EQ(failed.reason, "max_children"_a);
  }
  EXPECT_EQ(tasks_.start_child(self_, [] {}).result, tuple_of("error"_a, "max_children"_a));
}

TEST_F(TasksOfAThread, RunForNobody) {
  EXPECT_TRUE(tasks_.start_child(self_, [&] { way_.begun.set_value(); }).is_ok());
  way_.begun.get_future().wait();
}

} // namespace
} // namespace penning::test
