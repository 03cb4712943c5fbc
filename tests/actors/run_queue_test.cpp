#include <penning/actors/run_queue.hpp>
#include <penning/actors/runtime.hpp>

#include "support/deterministic.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <numeric>
#include <semaphore>
#include <thread>
#include <vector>

namespace penning::test {
namespace {

using queue = actors::run_queue<int>;
constexpr int end = -1;

/// Threads that do what each job says until it is `end`.
class pool {
 public:
  pool(queue& jobs, int threads, std::function<void(int, queue::worker&)> run) {
    for (int i = 0; i < threads; ++i)
      threads_.emplace_back([&jobs, run] {
        queue::worker self;
        for (int job = jobs.pop(self); job != end; job = jobs.pop(self))
          run(job, self);
      });
  }

 private:
  std::vector<std::jthread> threads_;
};

TEST(RunQueue, GivesOutInTheOrderOfThePushes) {
  queue jobs;
  queue::worker self;
  for (int i = 0; i < 3; ++i)
    jobs.push(i, nullptr);
  EXPECT_EQ(0, jobs.pop(self));
  jobs.push(3, &self);
  jobs.push(4, &self);
  EXPECT_EQ((std::deque{1, 2, 3, 4}), jobs.take_rest());
  EXPECT_TRUE(jobs.take_rest().empty());
}

// A thread that pushed a job and then does not come back, since it waits for that very job.
TEST(RunQueue, AJobDoesNotWaitForAThreadThatIsBusy) {
  queue jobs;
  constexpr int rounds = 500;
  std::binary_semaphore other{0}, all{0};
  const auto run = [&](int job, queue::worker& self) {
    if (job > rounds)
      return other.release();
    for (int round = 0; round < rounds; ++round) {
      jobs.push(rounds + 1, &self);
      other.acquire();
    }
    all.release();
  };
  const pool threads{jobs, 2, run};
  jobs.push(0, nullptr);
  all.acquire();
  for (int i = 0; i < 2; ++i)
    jobs.push(end, nullptr);
}

// Two threads are busy, and each has pushed a job for which it woke nobody; who takes one of them
// is busy until somebody takes the other.
TEST(RunQueue, WhoStopsWatchingLetsAnotherWatch) {
  queue jobs;
  std::counting_semaphore<> taken{0}, go{0}, done{0};
  const auto run = [&](int job, queue::worker& self) {
    if (job == 0)
      jobs.push(1, &self);
    else
      taken.release();
    go.acquire();
    done.release();
  };
  const pool threads{jobs, 4, run};
  for (int round = 0; round < 500; ++round) {
    jobs.push(0, nullptr);
    jobs.push(0, nullptr);
    for (int i = 0; i < 2; ++i)
      taken.acquire();
    go.release(4);
    for (int i = 0; i < 4; ++i)
      done.acquire();
  }
  for (int i = 0; i < 4; ++i)
    jobs.push(end, nullptr);
}

TEST(RunQueue, LosesNothingAmongManyThreads) {
  constexpr int threads = 4, seeds = 100, depth = 200;
  queue jobs;
  std::atomic<int> run_jobs{0};
  std::promise<void> all;
  const auto run = [&](int job, queue::worker& self) {
    if (job > 0)
      jobs.push(job - 1, &self);
    if (++run_jobs == seeds * (depth + 1))
      all.set_value();
  };
  const pool pool_of_threads{jobs, threads, run};
  for (int i = 0; i < seeds; ++i)
    jobs.push(depth, nullptr);
  all.get_future().wait();
  for (int i = 0; i < threads; ++i)
    jobs.push(end, nullptr);
}

// A thread that takes no jobs itself may still be within its push when the queue goes.
TEST(RunQueue, MayGoOnceItsLastJobIsTaken) {
  for (int round = 0; round < 2'000; ++round) {
    auto jobs = std::make_unique<queue>();
    std::thread pushes{[&jobs = *jobs] { jobs.push(1, nullptr); }};
    queue::worker self;
    jobs->pop(self);
    jobs.reset();
    pushes.join();
  }
}

/// An actor of the runtime's that sends, and then keeps its thread until what it sent is handled.
TEST(Scheduler, AMessageDoesNotWaitForItsSendersHandler) {
  probe::log log;
  std::binary_semaphore handled{0}, over{0};
  actors::runtime runtime{{.threads = 2}};
  auto receiver = runtime.system().spawn<probe>(log);
  auto sender = runtime.system().spawn<probe>(log);
  for (int i = 0; i < 100; ++i) {
    actors::post(sender, probe::step{[&](probe& self) {
                   actors::send(&self, receiver, probe::step{[&](probe&) { handled.release(); }});
                   handled.acquire();
                   over.release();
                 }});
    over.acquire();
  }
}

TEST(Scheduler, AnActorThatNeverRunsOutOfMessagesLetsOthersRun) {
  probe::log log;
  std::promise<void> handled;
  bool over = false; // of the one thread that runs actors
  actors::runtime runtime{{.threads = 1}};
  auto busy = runtime.system().spawn<probe>(log);
  probe::step again;
  again = [&](probe& self) {
    if (!over)
      actors::post(caf::actor{&self}, probe::step{again});
  };
  actors::post(busy, probe::step{again});
  auto other = runtime.system().spawn<probe>(log);
  actors::post(other, probe::step{[&](probe&) {
                 over = true;
                 handled.set_value();
               }});
  handled.get_future().wait();
}

TEST(Scheduler, CafsOwnPoliciesAreThereForWhoAsks) {
  for (const auto* policy : {"sharing", "stealing"}) {
    probe::log log;
    std::promise<void> handled;
    actors::system_config config;
    config.set("scheduler.policy", caf::atom_from_string(policy));
    caf::actor_system system{config};
    auto actor = system.spawn<probe>(log);
    actors::post(actor, probe::step{[&](probe&) { handled.set_value(); }});
    handled.get_future().wait();
  }
}

} // namespace
} // namespace penning::test
