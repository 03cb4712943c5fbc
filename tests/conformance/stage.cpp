#include "stage.hpp"

#include <penning/actors/runtime.hpp>

#include <caf/scheduler/test_coordinator.hpp>

namespace penning::conformance {

namespace {

struct virtual_config : actors::system_config {
  virtual_config() { set("scheduler.policy", caf::atom("testing")); }
};

class virtual_stage final : public stage {
 public:
  virtual_stage() : system_{config_} {}

  caf::actor_system& system() override { return system_; }

  void wait(const world& where, const std::function<bool(const world::state&)>& done) override {
    for (;;) {
      scheduler().run();
      if (where.read(done))
        return;
      if (!scheduler().trigger_timeout())
        throw stuck{"nothing happens any more, and no timer is set"};
    }
  }

  void pass(std::chrono::milliseconds time) override {
    scheduler().run();
    scheduler().advance_time(time);
  }

 private:
  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }

  virtual_config config_;
  caf::actor_system system_;
};

class real_stage : public stage {
 public:
  explicit real_stage(std::size_t threads) : runtime_{{.threads = threads}} {}

  caf::actor_system& system() override { return runtime_.system(); }

  void wait(const world& where, const std::function<bool(const world::state&)>& done) override {
    using namespace std::chrono_literals;
    if (!where.wait_for(60s, done))
      throw stuck{"not within a minute"};
  }

  void pass(std::chrono::milliseconds) override {
    throw std::logic_error{"the time of the machine is not to be waited for"};
  }

 protected:
  actors::runtime runtime_;
};

class program_stage final : public real_stage {
 public:
  using real_stage::real_stage;

  io::child_host* child_host() override { return &runtime_.io(); }
};

} // namespace

std::unique_ptr<stage> make_virtual_stage() {
  return std::make_unique<virtual_stage>();
}

std::unique_ptr<stage> make_real_stage(std::size_t threads) {
  return std::make_unique<real_stage>(threads);
}

std::unique_ptr<stage> make_program_stage(std::size_t threads) {
  return std::make_unique<program_stage>(threads);
}

} // namespace penning::conformance
