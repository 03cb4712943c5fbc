#include <penning/actors/runtime.hpp>

namespace penning::actors {

system_config::system_config(const runtime_options& options) {
  configure_scheduler(*this, options.threads);
  add_message_types<caf::id_block::penning>();
}

runtime::runtime(const runtime_options& options) : config_{options}, system_{config_} {}

} // namespace penning::actors
