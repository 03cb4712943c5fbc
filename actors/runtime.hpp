#pragma once

#include <penning/actors/os_process.hpp>
#include <penning/io/context.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <cstddef>
#include <utility>

namespace penning::actors {

/// How a runtime is made.
struct runtime_options {
  /// Threads that run actors; at least 1.
  std::size_t threads = 4;
};

/// CAF's configuration with penning's message types and scheduler. For a program that makes its own
/// actor system; one that has none uses a `runtime`.
class system_config : public caf::actor_system_config {
 public:
  explicit system_config(const runtime_options& options = {});
};

/// An actor system and the thread that starts and watches OS processes, in one.
///
/// The destructor waits until every actor has ended, then kills what is left of OS processes. End
/// the owners and supervisors first.
class runtime {
 public:
  explicit runtime(const runtime_options& options = {});

  caf::actor_system& system() noexcept { return system_; }
  io::context& io() noexcept { return io_; }

 private:
  system_config config_;
  io::context io_; // outlives the actors that use it
  caf::actor_system system_;
};

} // namespace penning::actors
