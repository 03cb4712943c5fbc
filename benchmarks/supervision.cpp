#include "driver.hpp"
#include "elixir_side.hpp"
#include "subjects.hpp"

#include <penning/supervision/dynamic_supervisor.hpp>
#include <penning/supervision/supervisor.hpp>

#include <unistd.h>

#include <array>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace penning::bench {
namespace {

using namespace actors::literals;
using actors::process;
using actors::term;

/// A child is up.
struct up {
  caf::actor who;
};

} // namespace
} // namespace penning::bench

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::bench::up)

namespace penning::bench {
namespace {

// -- ours -----------------------------------------------------------------------------------------

double resident_bytes() {
  std::ifstream file{"/proc/self/statm"};
  double all = 0, resident = 0;
  if (!(file >> all >> resident))
    throw std::runtime_error("/proc/self/statm cannot be read");
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

class child final : public process {
 public:
  child(caf::actor_config& config, caf::actor driver)
      : process{config},
        driver_{std::move(driver)} {}

 protected:
  actors::start_result init() override {
    if (driver_)
      actors::post(driver_, up{caf::actor{this}});
    return {};
  }
  caf::message_handler receive() override {
    return {[](term&) {}};
  }
  void terminate(const term&) override { driver_ = nullptr; }

 private:
  caf::actor driver_;
};

/// Kills the one child of a supervisor as soon as it is up.
class restart_driver final : public driver {
 public:
  restart_driver(caf::actor_config& config, driver_place place, std::uint64_t wanted)
      : driver{config, place},
        wanted_{wanted} {}

 protected:
  void begin() override {
    supervision::supervisor_options options;
    options.flags = {.intensity = 1'000'000, .period = std::chrono::seconds{1}};
    options.children.push_back(
      {.id = "a"_a, .start = supervision::start_of<child>(caf::actor{this})});
    supervisor_ = start_link<supervision::supervisor>(std::move(options)).pid;
  }
  caf::message_handler messages() override {
    return {[this](up& message) {
      if (restarted_ == 0)
        since_ = {};
      if (restarted_++ < wanted_)
        return exit(message.who, actors::atoms::kill());
      tell({.units = static_cast<double>(wanted_), .seconds = since_.seconds()});
      exit(actors::atoms::shutdown());
    }};
  }
  void terminate(const term& reason) override {
    driver::terminate(reason);
    supervisor_ = nullptr;
  }

 private:
  std::uint64_t wanted_, restarted_ = 0;
  stopwatch since_;
  caf::actor supervisor_;
};

enum class kind : std::uint8_t { simple_one_for_one, dynamic_supervisor };
enum class phase : std::uint8_t { start, which, stop };
constexpr std::array phase_names{"start", "which", "stop"};
constexpr std::array kind_names{"simple_one_for_one", "dynamic_supervisor"};

template <class Enum, class Names>
std::string name_of(const Names& names, Enum value) {
  return names[static_cast<std::size_t>(value)];
}

/// Starts children one after the other, asks for them and stops their supervisor.
class children_driver final : public driver {
 public:
  children_driver(caf::actor_config& config, driver_place place, kind which, phase wanted,
                  std::uint64_t count)
      : driver{config, place},
        kind_{which},
        wanted_{wanted},
        count_{count} {}

 protected:
  void begin() override {
    before_ = resident_bytes();
    if (kind_ == kind::simple_one_for_one) {
      supervision::supervisor_options options;
      options.flags.strategy = supervision::strategy::simple_one_for_one;
      options.children.push_back(spec());
      supervisor_ = start_link<supervision::dynamic_supervisor>(std::move(options)).pid;
    } else {
      supervisor_ = start_link<supervision::dynamic_supervisor>(supervision::dynamic_options{}).pid;
    }
    since_ = {};
    start_next();
  }
  void handle_exit(const caf::actor_addr&, const term&) override {
    note(phase::stop);
    exit(actors::atoms::normal());
  }
  void terminate(const term& reason) override {
    driver::terminate(reason);
    supervisor_ = nullptr;
  }

 private:
  static supervision::child_spec spec() {
    return {.id = "a"_a, .start = supervision::start_of<child>(caf::actor{})};
  }

  void start_next() {
    if (started_++ == count_)
      return ask();
    auto request = kind_ == kind::simple_one_for_one
                     ? supervision::start_child{term{actors::list{}}}
                     : supervision::start_child{spec()};
    actors::request(this, supervisor_, std::move(request))
      .then([this](const supervision::supervisor_reply& reply) {
        if (!reply.pid)
          throw std::runtime_error("not started: " + to_string(reply.result));
        start_next();
      });
  }

  void ask() {
    bytes_ = resident_bytes() - before_;
    note(phase::start);
    since_ = {};
    actors::request(this, supervisor_, supervision::which_children{})
      .then([this](const supervision::children& all) {
        note(phase::which);
        if (all.list.size() != count_)
          throw std::runtime_error("children are missing");
        since_ = {};
        exit(std::exchange(supervisor_, nullptr), actors::atoms::shutdown());
      });
  }

  void note(phase measured) {
    if (measured == wanted_)
      tell({.units = static_cast<double>(count_), .seconds = since_.seconds(), .bytes = bytes_});
  }

  kind kind_;
  phase wanted_;
  std::uint64_t count_, started_ = 0;
  double before_ = 0, bytes_ = 0;
  stopwatch since_;
  caf::actor supervisor_;
};

// -- the subjects ---------------------------------------------------------------------------------

subject restarts_of(std::uint64_t count, std::uint64_t quick) {
  return {
    .name = "restarts/" + std::to_string(count) + "_in_a_window",
    .what = "one permanent child, killed as soon as it is up again; reports off",
    .compared = quantity::microseconds_per_operation,
    .full = {.operations = count},
    .quick = {.operations = quick},
    .sides = {
      {"OTP's supervisor",
       [](const workload& work) {
         return run_elixir("otp_peer.exs", "restarts " + std::to_string(work.operations));
       }},
      {"penning", [](const workload& work) { return run_driver<restart_driver>(work.operations); }},
    }};
}

side peer(kind which, phase wanted) {
  const auto arguments = name_of(kind_names, which) + " " + name_of(phase_names, wanted) + " ";
  const auto name =
    which == kind::simple_one_for_one ? "OTP's simple_one_for_one" : "Elixir's DynamicSupervisor";
  return {name, [arguments](const workload& work) {
            return run_elixir("otp_peer.exs", arguments + std::to_string(work.operations));
          }};
}

side ours(kind which, phase wanted) {
  return {"penning, as " + name_of(kind_names, which), [which, wanted](const workload& work) {
            return run_driver<children_driver>(which, wanted, work.operations);
          }};
}

subject children_of(phase wanted, std::uint64_t count, quantity compared) {
  using enum kind;
  const bool memory = compared == quantity::bytes_per_item;
  subject result{
    .name = "dynamic_children/" + std::to_string(count) + "/"
            + (memory ? "memory" : name_of(phase_names, wanted)),
    .what = "children of one dynamic supervisor: started one by one, listed, stopped with it",
    .compared = compared,
    .full = {.operations = count},
    .quick = {.operations = 1000},
    .sides = {peer(simple_one_for_one, wanted), peer(dynamic_supervisor, wanted),
              ours(simple_one_for_one, wanted), ours(dynamic_supervisor, wanted)}};
  if (wanted == phase::stop && count > 10'000) // 19 s for 100,000, with the square of their number
    result.sides.erase(result.sides.begin() + 1);
  return result;
}

} // namespace

std::vector<subject> restarts() {
  return {restarts_of(500, 500), restarts_of(20'000, 2'000)};
}

std::vector<subject> dynamic_children() {
  using enum quantity;
  std::vector<subject> result;
  for (const std::uint64_t count : {1'000, 10'000, 100'000, 1'000'000}) {
    result.push_back(children_of(phase::start, count, microseconds_per_operation));
    result.push_back(children_of(phase::start, count, bytes_per_item));
    result.push_back(children_of(phase::which, count, microseconds_per_operation));
    result.push_back(children_of(phase::stop, count, microseconds_per_operation));
  }
  return result;
}

} // namespace penning::bench
