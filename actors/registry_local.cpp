#include <penning/actors/registry_local.hpp>
#include <penning/actors/runtime.hpp>

#include <stdexcept>

namespace penning::actors {

namespace {

local_registry& table_of(caf::actor_system& system) {
  if (const auto* config = dynamic_cast<const system_config*>(&system.config()))
    return config->names();
  throw std::logic_error{"local names need an actor system that was made with "
                         "penning::actors::system_config"};
}

} // namespace

name_result local_registry::register_name(const term& name, const caf::actor& actor) {
  if (name == atoms::undefined())
    return {name_errc::undefined, {}};
  return names_->add(name, actor, {});
}

bool local_registry::unregister_name(const term& name) {
  return names_->remove(name) > 0;
}

caf::actor local_registry::whereis_name(const term& name) const {
  return names_->find(name);
}

name_registry& local_names(caf::actor_system& system) {
  return table_of(system);
}

std::vector<term> registered(caf::actor_system& system) {
  return table_of(system).names();
}

} // namespace penning::actors
