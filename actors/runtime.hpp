#pragma once

#include <penning/actors/os_process.hpp>
#include <penning/actors/registry.hpp>
#include <penning/actors/registry_local.hpp>
#include <penning/io/context.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace penning::actors {

/// How a runtime is made.
struct runtime_options {
  /// Threads that run actors; at least 1.
  std::size_t threads = 4;
  /// How children are contained; a program that owns its process asks `io::contain_program`.
  io::context_options io{};
};

/// CAF's configuration with penning's message types and scheduler, the table of local names, and
/// the topics that anyone may publish to.
/// For a program that makes its own actor system; one that has none uses a `runtime`.
class system_config : public caf::actor_system_config {
 public:
  explicit system_config(const runtime_options& options = {});

  /// Where the actors of the one system that is made with it have their local names.
  local_registry& names() const noexcept { return *names_; }
  duplicate_registry& topics() const noexcept { return *topics_; }

 private:
  std::unique_ptr<local_registry> names_ = std::make_unique<local_registry>();
  std::unique_ptr<duplicate_registry> topics_ = std::make_unique<duplicate_registry>();
};

/// The topics of an actor system; those of penning's own have keys that begin with `penning_`.
/// Throws `std::logic_error` if the system was not made with `system_config`.
duplicate_registry& topics(const caf::actor_system& system);

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
