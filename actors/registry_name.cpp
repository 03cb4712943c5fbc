#include <penning/actors/process.hpp>
#include <penning/actors/registry_name.hpp>

#include <stdexcept>
#include <utility>

namespace penning::actors {

std::string_view to_string(name_errc error) noexcept {
  switch (error) {
  case name_errc::none: return "none";
  case name_errc::taken: return "taken";
  case name_errc::not_alive: return "not_alive";
  case name_errc::already_named: return "already_named";
  case name_errc::undefined: return "undefined";
  }
  return "?";
}

term to_term(const name_result& result) {
  if (result)
    return atoms::ok();
  if (result.error != name_errc::taken)
    return tuple_of(atoms::error(), atom{to_string(result.error)});
  return tuple_of(atoms::error(),
                  tuple_of(atom{"already_registered"}, to_pid(result.owner.address())));
}

bool name_registry::send(const term& name, caf::message message) {
  const auto actor = whereis_name(name);
  if (actor)
    post_message(actor, std::move(message));
  return static_cast<bool>(actor);
}

server_name::server_name(via other)
    : name_{std::move(other.name)},
      registry_{std::move(other.registry)} {
  if (!registry_)
    throw std::invalid_argument{"via: no registry for the name " + actors::to_string(name_)};
}

name_registry& server_name::registry(caf::actor_system& system) const {
  return registry_ ? *registry_ : local_names(system);
}

name_result register_name(caf::actor_system& system, const server_name& name,
                          const caf::actor& actor) {
  return name.registry(system).register_name(name.name(), actor);
}

bool unregister_name(caf::actor_system& system, const server_name& name) {
  return name.registry(system).unregister_name(name.name());
}

caf::actor whereis(caf::actor_system& system, const server_name& name) {
  return name.registry(system).whereis_name(name.name());
}

} // namespace penning::actors
