#include <penning/actors/registry.hpp>

#include <utility>

namespace penning::actors {

std::size_t keyed_registry::publish_message(const term& key, const caf::message& message) const {
  const auto entries = lookup(key);
  for (const auto& entry : entries)
    post_message(entry.actor, message);
  return entries.size();
}

name_result unique_registry::register_key(const term& key, const caf::actor& actor, term value) {
  return directory_->add(key, actor, std::move(value));
}

name_result unique_registry::register_name(const term& name, const caf::actor& actor) {
  return register_key(name, actor);
}

bool unique_registry::unregister_name(const term& name) {
  return directory_->remove(name) > 0;
}

caf::actor unique_registry::whereis_name(const term& name) const {
  return directory_->find(name);
}

name_result duplicate_registry::register_key(const term& key, const caf::actor& actor, term value) {
  return directory_->add(key, actor, std::move(value));
}

} // namespace penning::actors
