#pragma once

#include <penning/actors/caf.hpp>
#include <penning/actors/term.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace penning::actors {

/// Why a name was refused. `erlang:register/2` raises `badarg` for each of them.
enum class name_errc : std::uint8_t {
  none = 0,
  taken = 1,         ///< A live actor has the name, this one perhaps.
  not_alive = 2,     ///< The actor has ended.
  already_named = 3, ///< The actor has another local name.
  undefined = 4,     ///< `undefined`, which is no name.
};

/// As the enumerator is spelled.
std::string_view to_string(name_errc error) noexcept;

/// What a registration came to; true if the actor has the name now.
struct name_result {
  name_errc error = name_errc::none;
  caf::actor owner; ///< Who has the name, if it is `taken` and the registry knows.

  explicit operator bool() const noexcept { return error == name_errc::none; }
};

/// `ok`, `{error, {already_registered, Pid}}` or `{error, not_alive | already_named | undefined}`.
/// Source: Elixir's `Registry.register/3`.
term to_term(const name_result& result);

/// Where names live: what `{via, Registry, Name}` calls. Derive from it for a registry of your own.
///
/// A name belongs to one live actor at a time and is free once that actor has ended, before those
/// linked to it hear of it: `process::at_end` tells when. A process that was started under a name
/// gives it up itself as well, while it is still alive.
/// Thread safety: every function may be called from any thread at any time, and must not block.
/// Source: "via" in `gen_server:start_link/4`; `global`.
class name_registry {
 public:
  virtual ~name_registry() = default;

  /// Gives `actor` a name that no live actor has: `yes`, or `no` and who has it.
  virtual name_result register_name(const term& name, const caf::actor& actor) = 0;

  /// Takes the name from whoever has it; whether a live actor had it.
  virtual bool unregister_name(const term& name) = 0;

  /// The live actor of that name, or null.
  virtual caf::actor whereis_name(const term& name) const = 0;

  /// Sends to the actor of that name; false if there is none.
  virtual bool send(const term& name, caf::message message);
};

/// `{via, Registry, Name}`.
struct via {
  std::shared_ptr<name_registry> registry;
  term name;
};

/// What a process can be called: any term, usually an atom, which is `{local, Name}`, or a `via`.
///
///     whereis(system, "db"_a);
///     whereis(system, via{registry, tuple_of("room"_a, 7)});
class server_name {
 public:
  template <class T>
  requires(!std::same_as<std::remove_cvref_t<T>, server_name> && std::convertible_to<T, term>)
    server_name(T&& local)
      : name_{std::forward<T>(local)} {}
  /// Errors: `std::invalid_argument` for a `via` without a registry.
  server_name(via other);

  bool is_local() const noexcept { return !registry_; }
  const term& name() const noexcept { return name_; }

  /// Where the name lives; see `local_names` for a local one.
  name_registry& registry(caf::actor_system& system) const;

 private:
  term name_;
  std::shared_ptr<name_registry> registry_;
};

/// The table of local names, one for each actor system; `system_config` owns it.
///
/// As `erlang:register/2` has it: one local name for an actor, one actor for a name, no dead actor,
/// not `undefined`. Unlike there, a name is any term. Actors of any kind can have one. The table
/// holds its actors: one with a name lives until it ends, or until nobody else has it once it has
/// lost the name.
/// Errors: `std::logic_error` for a system that was not made with `system_config`.
name_registry& local_names(caf::actor_system& system);

/// `erlang:register/2`, or the same through a `via`.
name_result register_name(caf::actor_system& system, const server_name& name,
                          const caf::actor& actor);

/// Frees a name; false if no live actor had it, where `erlang:unregister/1` raises `badarg`.
bool unregister_name(caf::actor_system& system, const server_name& name);

/// The actor of that name, or null; never one that has ended. Complexity: a hash, a shared lock.
caf::actor whereis(caf::actor_system& system, const server_name& name);

/// All local names, in no order. Source: `erlang:registered/0`.
std::vector<term> registered(caf::actor_system& system);

/// Sends to whoever has the name; false if nobody has, where Erlang's `!` raises `badarg`. True
/// does not mean that it arrives: the actor may be about to end.
template <class Message>
bool send(caf::actor_system& system, const server_name& name, Message&& message) {
  return name.registry(system).send(name.name(), caf::make_message(std::forward<Message>(message)));
}

} // namespace penning::actors
