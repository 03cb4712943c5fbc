#include "driver.hpp"
#include "plain_child.hpp"
#include "subjects.hpp"

#include <penning/supervision/supervisor.hpp>

#include <unistd.h>

#include <csignal>
#include <utility>

namespace penning::bench {
namespace {

using namespace actors::literals;

constexpr auto waiter = PENNING_BENCH_WAITER;

plain_child spawn_waiter() {
  auto child = spawn_plainly(waiter, {"up"}, {.out = true});
  char byte = 0;
  if (::read(child.out.get(), &byte, 1) != 1)
    throw std::runtime_error("the child has not told that it is up");
  return child;
}

/// Times are from kill(2) to the first byte only, as those of ours.
void add(measurement& result, const stopwatch& one) {
  const auto seconds = one.seconds();
  result.latencies.push_back(seconds * 1e6);
  result.seconds += seconds;
  ++result.units;
}

measurement restart_plainly(const workload& work) {
  measurement result;
  auto child = spawn_waiter();
  for (std::uint64_t i = 0; i < work.operations; ++i) {
    const stopwatch one;
    kill_and_reap(child);
    child = spawn_waiter();
    add(result, one);
  }
  kill_and_reap(child);
  return result;
}

/// Owns the one child of a supervisor, and kills it behind its back.
class restart_owner final : public driver {
 public:
  restart_owner(caf::actor_config& config, driver_place place, std::uint64_t wanted)
      : driver{config, place},
        left_{wanted} {}

 protected:
  void begin() override {
    actors::os_process_options child;
    child.program = waiter;
    child.args = {"up"};
    supervision::supervisor_options options;
    options.flags = {.intensity = 1'000'000, .period = std::chrono::seconds{1}};
    options.children.push_back({.id = "waiter"_a,
                                .start = supervision::start_of<actors::os_process>(
                                  std::ref(host()), caf::actor{this}, child)});
    supervisor_ = start_link<supervision::supervisor>(std::move(options)).pid;
  }

  caf::message_handler messages() override {
    return {[this](const actors::data&) { on_first_byte(); }, [](const actors::exited&) {}};
  }

  /// As the owner it is linked to each child.
  void handle_exit(const caf::actor_addr& from, const actors::term& reason) override {
    if (!supervisor_ || from == supervisor_.address())
      driver::handle_exit(from, reason);
  }

  void terminate(const actors::term& reason) override {
    driver::terminate(reason);
    supervisor_ = nullptr;
  }

 private:
  void on_first_byte() {
    if (std::exchange(killed_, true))
      add(result_, since_);
    if (left_-- == 0) {
      tell(std::move(result_));
      return exit(actors::atoms::shutdown());
    }
    const auto child = caf::actor_cast<caf::actor>(current_sender());
    actors::request(this, child, actors::os_pid{}).then([this](actors::os_pid_reply reply) {
      since_ = {};
      ::kill(static_cast<pid_t>(reply.pid), SIGKILL);
    });
  }

  std::uint64_t left_;
  bool killed_ = false;
  stopwatch since_;
  measurement result_;
  caf::actor supervisor_;
};

measurement restart_supervised(const workload& work) {
  return run_driver<restart_owner>(work.operations);
}

measurement on_one_processor(measurement (*run)(const workload&), const workload& work) {
  pin(0);
  return run(work);
}

subject restart_where(std::string where, std::string what, bool pinned) {
  auto placed = [pinned](measurement (*run)(const workload&)) {
    return [pinned, run](const workload& work) {
      return pinned ? on_one_processor(run, work) : run(work);
    };
  };
  return {.name = "restart/" + std::move(where),
          .what = "SIGKILL of a child to the first byte of its replacement; " + std::move(what),
          .compared = quantity::microseconds_per_operation,
          .full = {.operations = 1'000},
          .quick = {.operations = 50},
          .sides = {{"limit: waitpid, posix_spawn, read", placed(restart_plainly)},
                    {"penning, under a supervisor", placed(restart_supervised)}}};
}

} // namespace

std::vector<subject> restart_of_a_process() {
  return {restart_where("not_pinned", "not pinned", false),
          restart_where("one_processor", "parent and child on one processor", true)};
}

} // namespace penning::bench
