#pragma once

#include <penning/actors/registry_directory.hpp>
#include <penning/actors/registry_name.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace penning::actors {

/// Actors under keys, as Elixir's `Registry` has them: what both kinds have in common.
///
/// Keys and values are any term. An entry is removed when its actor ends: in the actor's own thread
/// and before those linked to it or monitoring it hear of it, so that whoever knows of the end
/// finds no trace of it; Elixir's `Registry` hears of the end by a link, like everyone else. The
/// entries hold their actors. A registry is a value of its own, not an actor: it may go before its
/// actors. Thread safety: all of it; what happens to one key hinders nobody at another. Source:
/// Elixir's `Registry`.
class keyed_registry {
 public:
  /// What is registered under a key, oldest first.
  std::vector<registry_entry> lookup(const term& key) const { return directory_->lookup(key); }

  /// Whether anyone is registered under the key.
  bool has(const term& key) const { return directory_->find(key) != nullptr; }

  /// The keys of an actor, in no order; one that it has twice is there twice.
  std::vector<term> keys(const caf::actor& actor) const {
    return directory_->keys_of(actor.address());
  }

  /// Removes all entries of the actor under the key; how many those were.
  std::size_t unregister(const term& key, const caf::actor& actor) {
    return directory_->remove(key, actor.address());
  }

  /// The number of entries.
  std::size_t count() const { return directory_->size(); }

  /// Calls `call` with each entry under a key, in this thread and with nothing locked.
  template <std::invocable<const registry_entry&> Call>
  void dispatch(const term& key, Call call) const {
    for (const auto& entry : lookup(key))
      call(entry);
  }

  /// Sends a message to all under a key, once for each entry; returns how often. They share one
  /// copy. Two messages from one thread, or one actor, come to each receiver in that order.
  template <class Message>
  std::size_t publish(const term& key, Message&& message) const {
    return publish_message(key, caf::make_message(std::forward<Message>(message)));
  }

 protected:
  explicit keyed_registry(detail::directory::rule rule)
      : directory_{std::make_shared<detail::directory>(rule)} {}
  ~keyed_registry() = default;

  std::shared_ptr<detail::directory> directory_;

 private:
  std::size_t publish_message(const term& key, const caf::message& message) const;
};

/// One live actor for a key; an actor may have several keys. Can be used as a `via`.
///
///     auto rooms = std::make_shared<unique_registry>();
///     rooms->register_key(tuple_of("room"_a, 7), actor, "seven");
///     send(system, via{rooms, tuple_of("room"_a, 7)}, cast{"open"_a});
class unique_registry final : public keyed_registry, public name_registry {
 public:
  unique_registry() : keyed_registry{detail::directory::rule::unique} {}

  /// Refused if a live actor has the key (`taken`), or if `actor` has ended (`not_alive`). One that
  /// has ended is replaced on the spot.
  name_result register_key(const term& key, const caf::actor& actor,
                           term value = atoms::undefined());

  name_result register_name(const term& name, const caf::actor& actor) override;
  bool unregister_name(const term& name) override;
  caf::actor whereis_name(const term& name) const override;
};

/// Any number of entries under a key, several of one actor as well: topics and their subscribers.
///
///     topics.register_key("news"_a, subscriber);
///     topics.publish("news"_a, cast{"hello"});
class duplicate_registry final : public keyed_registry {
 public:
  duplicate_registry() : keyed_registry{detail::directory::rule::duplicate} {}

  /// Refused only if `actor` has ended (`not_alive`).
  name_result register_key(const term& key, const caf::actor& actor,
                           term value = atoms::undefined());
};

} // namespace penning::actors
