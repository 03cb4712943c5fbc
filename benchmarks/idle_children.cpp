#include "driver.hpp"
#include "plain_child.hpp"
#include "room.hpp"
#include "subjects.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

namespace penning::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto waiter = PENNING_BENCH_WAITER;
constexpr std::uint64_t wanted_children = 10'000, descriptors_each = 4;
constexpr std::size_t at_once = 8;

/// After the last start there is something to tidy up.
std::chrono::milliseconds settling(std::chrono::milliseconds idle) {
  return idle / 4;
}

enum class phase : std::uint8_t { start, memory, idle, stop };

/// Of the whole process, which its threads' sleep does not count in.
double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// Pss of smaps_rollup, see proc(5): what is shared with the harness counts in part.
double own_bytes() {
  std::ifstream file{"/proc/self/smaps_rollup"};
  for (std::string word; file >> word;)
    if (double kib = 0; word == "Pss:" && file >> kib)
      return kib * 1024;
  throw std::runtime_error("/proc/self/smaps_rollup cannot be read");
}

/// What comes of the one phase that is asked for.
class crowd {
 public:
  crowd(phase asked, std::uint64_t children) : asked_{asked} {
    make_room();
    result_.units = static_cast<double>(children);
  }

  void begin() {
    before_ = own_bytes();
    since_ = {};
  }
  void started() {
    note(phase::start);
    result_.bytes = own_bytes() - before_;
    note(phase::memory);
  }
  void begin_idle() {
    busy_ = processor_seconds();
    since_ = {};
  }
  void end_idle() {
    result_.busy = processor_seconds() - busy_;
    note(phase::idle);
  }
  void begin_stop() { since_ = {}; }
  void stopped() { note(phase::stop); }

  const measurement& result() const { return result_; }

 private:
  void note(phase now) {
    if (now == asked_)
      result_.seconds = since_.seconds();
  }

  phase asked_;
  double before_ = 0, busy_ = 0;
  stopwatch since_;
  measurement result_;
};

// -- the limit ------------------------------------------------------------------------------------

measurement crowd_plainly(phase asked, const workload& work) {
  crowd all{asked, work.operations};
  std::vector<plain_child> children;
  children.reserve(work.operations);
  all.begin();
  while (children.size() < work.operations)
    children.push_back(spawn_plainly(waiter, {}, {.in = true, .out = true, .err = true}));
  all.started();
  std::this_thread::sleep_for(settling(work.idle));
  all.begin_idle();
  std::this_thread::sleep_for(work.idle);
  all.end_idle();
  all.begin_stop();
  for (const auto& child : children)
    ::kill(child.pid, SIGTERM);
  for (auto& child : children)
    reap(child);
  all.stopped();
  return all.result();
}

// -- ours -----------------------------------------------------------------------------------------

/// Owns all of them: starts the next one when one is up, and asks all at once to end.
class crowd_owner final : public driver {
 public:
  crowd_owner(caf::actor_config& config, driver_place place, phase asked, const workload& work)
      : driver{config, place},
        crowd_{asked, work.operations},
        wanted_{work.operations},
        idle_{work.idle} {}

 protected:
  void begin() override {
    children_.reserve(wanted_);
    crowd_.begin();
    for (std::size_t i = 0; i < at_once; ++i)
      start_next();
  }

  void handle_ack(const caf::actor_addr&, const actors::start_result& result) override {
    if (result.how != actors::start_result::kind::ok)
      return fail("not started: " + to_string(result.value));
    if (++up_ < wanted_)
      return start_next();
    crowd_.started();
    actors::run_after(this, settling(idle_), [this] { idle(); });
  }

  void handle_exit(const caf::actor_addr& from, const actors::term& reason) override {
    if (!stopping_)
      return driver::handle_exit(from, reason);
    if (++ended_ < wanted_)
      return;
    crowd_.stopped();
    tell(crowd_.result());
    exit(actors::atoms::normal());
  }

  caf::message_handler messages() override {
    return {[](const actors::exited&) {}};
  }

  void terminate(const actors::term& reason) override {
    driver::terminate(reason);
    children_.clear();
  }

 private:
  void start_next() {
    if (children_.size() == wanted_)
      return;
    actors::os_process_options options;
    options.program = waiter;
    children_.push_back(
      start_link<actors::os_process>(host(), caf::actor{this}, std::move(options)).pid);
  }

  void idle() {
    crowd_.begin_idle();
    actors::run_after(this, idle_, [this] { stop(); });
  }

  void stop() {
    crowd_.end_idle();
    stopping_ = true;
    crowd_.begin_stop();
    for (const auto& child : children_)
      exit(child, actors::atoms::shutdown());
    children_.clear();
  }

  crowd crowd_;
  std::uint64_t wanted_, up_ = 0, ended_ = 0;
  std::chrono::milliseconds idle_;
  bool stopping_ = false;
  std::vector<caf::actor> children_;
};

// -- the subjects ---------------------------------------------------------------------------------

subject crowd_subject(std::uint64_t children, phase asked, const char* name, const char* what,
                      quantity compared) {
  const bool waits = asked == phase::idle;
  return {
    .name = "idle_children/" + std::to_string(children) + "/" + name,
    .what = what,
    .compared = compared,
    .full = {.operations = children, .idle = waits ? 2'000ms : 0ms},
    .quick = {.operations = std::min<std::uint64_t>(children, 100), .idle = waits ? 100ms : 0ms},
    .most_rounds = 3,
    .sides = {{"limit: posix_spawn, three pipes each",
               [asked](const workload& work) { return crowd_plainly(asked, work); }},
              {"penning::actors",
               [asked](const workload& work) { return run_driver<crowd_owner>(asked, work); }}}};
}

} // namespace

std::vector<subject> idle_children() {
  using enum quantity;
  const auto children = children_in(make_room(), wanted_children, descriptors_each);
  return {crowd_subject(children, phase::start, "start",
                        "children that only wait, started until all are up",
                        microseconds_per_operation),
          crowd_subject(children, phase::memory, "memory",
                        "what the runtime itself takes for each while all are up", bytes_per_item),
          crowd_subject(children, phase::idle, "idle",
                        "processor time of the runtime over two seconds while all are idle",
                        percent_of_a_processor),
          crowd_subject(children, phase::stop, "stop",
                        "all asked to end at once, until the last is reaped",
                        microseconds_per_operation)};
}

} // namespace penning::bench
