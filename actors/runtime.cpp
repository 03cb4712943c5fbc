#include <penning/actors/runtime.hpp>
#include <penning/actors/scheduler.hpp>

#include <stdexcept>

namespace penning::actors {

system_config::system_config(const runtime_options& options) {
  configure_scheduler(*this, options.threads);
  add_message_types<caf::id_block::penning>();
}

duplicate_registry& topics(const caf::actor_system& system) {
  if (const auto* config = dynamic_cast<const system_config*>(&system.config()))
    return config->topics();
  throw std::logic_error{"topics need an actor system that was made with "
                         "penning::actors::system_config"};
}

runtime::runtime(const runtime_options& options)
    : config_{options},
      io_{options.io},
      system_{config_} {}

} // namespace penning::actors
