#include "actors_side.hpp"
#include "io_side.hpp"
#include "subjects.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <future>
#include <map>
#include <mutex>
#include <stdexcept>

extern char** environ;

namespace penning::bench {
namespace {

constexpr auto program = "/bin/true";
constexpr unsigned same_cpu = 0;

/// posix_spawn(3) and waitpid(2), `at_once` children under way, and nothing else.
measurement spawn_plainly(std::uint64_t operations, std::size_t at_once) {
  measurement result;
  std::map<pid_t, stopwatch> running;
  char name[] = "/bin/true";
  char* const arguments[] = {name, nullptr};
  const stopwatch all;
  for (std::uint64_t started = 0; result.units < static_cast<double>(operations);) {
    while (started < operations && running.size() < at_once) {
      const stopwatch one;
      pid_t pid = 0;
      if (::posix_spawn(&pid, program, nullptr, nullptr, arguments, environ) != 0)
        throw std::runtime_error("posix_spawn failed");
      running.emplace(pid, one);
      ++started;
    }
    int status = 0;
    const auto pid = ::waitpid(-1, &status, 0);
    if (pid < 0 || status != 0)
      throw std::runtime_error("waitpid failed, or the child did");
    result.latencies.push_back(running.at(pid).microseconds());
    running.erase(pid);
    ++result.units;
  }
  result.seconds = all.seconds();
  return result;
}

/// Starts the next child where the last one's end is told: on the host's own thread.
class io_loop {
 public:
  explicit io_loop(std::uint64_t operations) : left_{operations} {}

  measurement run(std::size_t at_once) {
    wanted_ = left_;
    const stopwatch all;
    for (std::size_t i = 0; i < at_once; ++i)
      start_one();
    done_.get_future().get();
    result_.seconds = all.seconds();
    return std::move(result_);
  }

 private:
  void start_one() {
    {
      const std::lock_guard lock{mutex_}; // the first ones come from the caller's thread
      if (left_ == 0)
        return;
      --left_;
    }
    auto ended = [this, one = stopwatch{}](const std::exception_ptr& error) { on_end(one, error); };
    host_.start({.program = program},
                std::make_shared<counting_observer>(65536, nullptr, std::move(ended)));
  }

  void on_end(const stopwatch& one, const std::exception_ptr& error) {
    result_.latencies.push_back(one.microseconds());
    ++result_.units;
    if (failed_)
      return;
    if (error) {
      failed_ = true;
      done_.set_exception(error);
    } else if (static_cast<std::uint64_t>(result_.units) == wanted_) {
      done_.set_value();
    } else {
      start_one();
    }
  }

  std::mutex mutex_;
  std::uint64_t left_;
  std::uint64_t wanted_ = 0;
  measurement result_;
  bool failed_ = false;
  std::promise<void> done_;
  io::context host_; // last: its thread uses the others until it is gone
};

measurement spawn_through_io(std::uint64_t operations, std::size_t at_once) {
  return io_loop{operations}.run(at_once);
}

measurement spawn_through_actors(std::uint64_t operations, std::size_t at_once) {
  owner_task task{.operations = operations, .at_once = at_once};
  task.options.program = program;
  return run_under_an_owner(task);
}

template <class Spawn>
side one_at_a_time(std::string name, Spawn spawn) {
  return {std::move(name), [spawn](const workload& work) {
            pin(same_cpu);
            return spawn(work.operations, 1);
          }};
}

/// The same in a process that holds `work.bytes` of memory, each page of it touched.
template <class Spawn>
side in_a_large_one(std::string name, Spawn spawn) {
  return {std::move(name), [spawn](const workload& work) {
            const std::vector<char> held(work.bytes, 'x');
            pin(same_cpu);
            return spawn(work.operations, 1);
          }};
}

template <class Spawn>
side eight_at_a_time(std::string name, Spawn spawn) {
  return {std::move(name), [spawn](const workload& work) { return spawn(work.operations, 8); }};
}

} // namespace

std::vector<subject> spawn_and_reap() {
  const workload full{.operations = 1000};
  const workload quick{.operations = 50};
  return {
    {.name = "spawn_and_reap/one_at_a_time",
     .what = "/bin/true from start to reaped; parent and child on one processor",
     .compared = quantity::microseconds_per_operation,
     .full = full,
     .quick = quick,
     .sides = {one_at_a_time("limit: posix_spawn, waitpid", spawn_plainly),
               one_at_a_time("penning::io", spawn_through_io),
               one_at_a_time("penning::actors", spawn_through_actors)}},
    {.name = "spawn_and_reap/2_gb_runtime",
     .what = "the same, one at a time, from a process that holds 2 GB of memory",
     .compared = quantity::microseconds_per_operation,
     .full = {.operations = 1000, .bytes = 2ull << 30},
     .quick = {.operations = 50, .bytes = 64ull << 20},
     .sides = {in_a_large_one("limit: posix_spawn, waitpid", spawn_plainly),
               in_a_large_one("penning::io", spawn_through_io),
               in_a_large_one("penning::actors", spawn_through_actors),
               one_at_a_time("penning::actors, without 2 GB", spawn_through_actors)}},
    {.name = "spawn_and_reap/eight_at_a_time",
     .what = "/bin/true from start to reaped, eight under way; not pinned",
     .compared = quantity::microseconds_per_operation,
     .full = full,
     .quick = quick,
     .sides = {eight_at_a_time("limit: posix_spawn, waitpid", spawn_plainly),
               eight_at_a_time("penning::io", spawn_through_io),
               eight_at_a_time("penning::actors", spawn_through_actors)}},
  };
}

} // namespace penning::bench
