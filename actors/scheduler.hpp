#pragma once

#include <caf/actor_system_config.hpp>

#include <cstddef>

namespace penning::actors {

/// Sets which scheduler an actor system of this configuration gets: penning's own (`run_queue`),
/// unless `scheduler.policy` is set to one of CAF's (`sharing`, `stealing`, `testing`) afterwards.
/// Throws `std::invalid_argument` for 0 threads.
void configure_scheduler(caf::actor_system_config& config, std::size_t threads);

} // namespace penning::actors
