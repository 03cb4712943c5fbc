#pragma once

#include "print_term.hpp"

#include <penning/actors/process.hpp>
#include <penning/actors/runtime.hpp>

#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <concepts>
#include <optional>
#include <utility>
#include <vector>

namespace penning::test {

using namespace std::chrono_literals;
using namespace actors::literals;
using actors::term;
using actors::tuple_of;
namespace atoms = actors::atoms;

/// Nothing happens until the test says so, and time stands still until it is advanced.
class deterministic : public ::testing::Test {
 protected:
  struct config : actors::system_config {
    config() { set("scheduler.policy", caf::atom("testing")); }
  };

  deterministic() : system_{config_} {}

  caf::actor_system& system() { return system_; }

  /// Runs every actor until none has a message left.
  void run() { scheduler().run(); }

  void advance(std::chrono::milliseconds time) {
    run();
    scheduler().advance_time(time);
    run();
  }

  /// A process without a parent; `init` has run.
  template <std::derived_from<actors::process> P, class... Args>
  caf::actor spawn(Args&&... args) {
    auto result = system_.spawn<P>(std::forward<Args>(args)...);
    run();
    return result;
  }

 private:
  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }

  config config_;
  caf::actor_system system_;
};

/// A process that does what a test tells it and remembers what happens to it.
class probe : public actors::process {
 public:
  struct log {
    std::vector<std::pair<caf::actor_addr, term>> exits, downs;
    std::vector<std::pair<caf::actor_addr, actors::start_result>> acks;
    std::optional<term> ended;
  };
  using step = std::function<void(probe&)>;

  probe(caf::actor_config& config, log& remembered, bool traps = false)
      : process{config},
        log_{remembered} {
    trap_exit(traps);
  }

  caf::message_handler receive() override {
    return {[this](const step& run) { run(*this); }};
  }

 protected:
  void handle_exit(const caf::actor_addr& from, const term& reason) override {
    log_.exits.emplace_back(from, reason);
  }
  void handle_down(const actors::down& message) override {
    log_.downs.emplace_back(message.from, message.reason);
  }
  void handle_ack(const caf::actor_addr& child, const actors::start_result& result) override {
    log_.acks.emplace_back(child, result);
  }
  void terminate(const term& reason) override { log_.ended = reason; }

  log& log_;
};

} // namespace penning::test

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::test::probe::step)
