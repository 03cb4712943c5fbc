#include <penning/actors/caf.hpp>
#include <penning/actors/run_queue.hpp>
#include <penning/actors/scheduler.hpp>

#include <stdexcept>

namespace penning::actors {
namespace {

/// Messages that an actor handles before others have their turn; CAF itself sets no limit.
constexpr std::size_t turn = 1'000;

void check(std::size_t threads) {
  if (threads == 0)
    throw std::invalid_argument{"threads is 0: must be at least 1"};
}

} // namespace
} // namespace penning::actors

#if PENNING_CAF_1

namespace penning::actors {

// CAF 1.x has no schedulers of one's own.
void configure_scheduler(caf::actor_system_config& config, std::size_t threads) {
  check(threads);
  config.set("caf.scheduler.policy", "sharing");
  config.set("caf.scheduler.max-threads", threads);
  config.set("caf.scheduler.max-throughput", turn);
}

} // namespace penning::actors

#else

#  include <caf/policy/unprofiled.hpp>
#  include <caf/policy/work_sharing.hpp>
#  include <caf/policy/work_stealing.hpp>
#  include <caf/scheduler/coordinator.hpp>
#  include <caf/scheduler/test_coordinator.hpp>

namespace penning::actors {
namespace {

/// A policy of CAF's scheduler: its threads take jobs from one run queue.
class queued : public caf::policy::unprofiled {
 public:
  using job_queue = run_queue<caf::resumable*>;

  struct coordinator_data {
    explicit coordinator_data(caf::scheduler::abstract_coordinator*) {}
    job_queue jobs;
  };

  struct worker_data {
    explicit worker_data(caf::scheduler::abstract_coordinator*) {}
  };

  template <class Coordinator>
  void central_enqueue(Coordinator* self, caf::resumable* job) {
    auto& queue = d(self).jobs;
    queue.push(job, thread_.queue == &queue ? &thread_.place : nullptr);
  }

  template <class Worker>
  void external_enqueue(Worker* self, caf::resumable* job) {
    central_enqueue(self->parent(), job);
  }

  template <class Worker>
  void internal_enqueue(Worker* self, caf::resumable* job) {
    central_enqueue(self->parent(), job);
  }

  template <class Worker>
  void resume_job_later(Worker* self, caf::resumable* job) {
    central_enqueue(self->parent(), job);
  }

  template <class Worker>
  caf::resumable* dequeue(Worker* self) {
    thread_.queue = &d(self->parent()).jobs;
    return thread_.queue->pop(thread_.place);
  }

  template <class Worker, class Function>
  void foreach_resumable(Worker*, Function) {}

  template <class Coordinator, class Function>
  void foreach_central_resumable(Coordinator* self, Function call) {
    auto& queue = d(self).jobs;
    for (auto rest = queue.take_rest(); !rest.empty(); rest = queue.take_rest())
      for (auto* job : rest)
        call(job);
  }

 private:
  // Messages without a sender come without a worker: the thread tells who pushes.
  struct thread {
    job_queue* queue = nullptr;
    job_queue::worker place;
  };
  static thread_local thread thread_;
};

thread_local queued::thread queued::thread_;

caf::actor_system::module* make_scheduler(caf::actor_system& system) {
  const auto policy = caf::get_or(system.config(), "scheduler.policy", caf::atom(""));
  if (policy == caf::atom("sharing"))
    return new caf::scheduler::coordinator<caf::policy::work_sharing>{system};
  if (policy == caf::atom("stealing"))
    return new caf::scheduler::coordinator<caf::policy::work_stealing>{system};
  if (policy == caf::atom("testing"))
    return new caf::scheduler::test_coordinator{system};
  return new caf::scheduler::coordinator<queued>{system};
}

} // namespace

void configure_scheduler(caf::actor_system_config& config, std::size_t threads) {
  check(threads);
  config.set("scheduler.policy", caf::atom("queued"));
  config.set("scheduler.max-threads", threads);
  config.set("scheduler.max-throughput", turn);
  config.module_factories.emplace_back(make_scheduler);
}

} // namespace penning::actors

#endif
