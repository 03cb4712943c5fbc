#pragma once

#include "world.hpp"

#include <caf/actor_system.hpp>

#include <cstddef>
#include <memory>
#include <stdexcept>

namespace penning::conformance {

/// What was waited for does not come.
struct stuck : std::runtime_error {
  using runtime_error::runtime_error;
};

/// Where a scenario is played: an actor system, and how time passes in it.
class stage {
 public:
  virtual ~stage() = default;

  virtual caf::actor_system& system() = 0;
  /// Returns once `done(state)` holds; throws `stuck`.
  virtual void wait(const world& where, const std::function<bool(const world::state&)>& done) = 0;
  /// Lets time pass.
  virtual void pass(std::chrono::milliseconds time) = 0;
  /// Where the children are programs: who starts them; else null.
  virtual io::child_host* child_host() { return nullptr; }
};

/// One thread, and a clock that moves when nothing else can: everything has one possible order.
std::unique_ptr<stage> make_virtual_stage();

/// So many threads, and the clock of the machine.
std::unique_ptr<stage> make_real_stage(std::size_t threads);

/// The same, where the children are programs.
std::unique_ptr<stage> make_program_stage(std::size_t threads);

} // namespace penning::conformance
