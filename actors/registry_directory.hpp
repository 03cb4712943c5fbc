#pragma once

#include <penning/actors/registry_name.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

namespace penning::actors {

/// One registration under a key.
struct registry_entry {
  caf::actor actor;
  term value;
};

namespace detail {

/// Actors under keys: what all registries are made of.
///
/// An entry goes with its actor, before those linked to it hear of the end; one whose actor has
/// ended counts as gone from the first moment on, whether or not it has been removed yet. Sharded
/// by key, and by actor for the keys of each: a lookup takes one shared lock. Entries hold their
/// actor. Thread safety: all of it. Always made by `std::make_shared`.
class directory : public std::enable_shared_from_this<directory> {
 public:
  enum class rule : std::uint8_t {
    unique,    ///< One live actor for a key.
    one_each,  ///< And one key for an actor.
    duplicate, ///< Any number of entries.
  };

  explicit directory(rule r) : rule_{r} {}

  name_result add(const term& key, const caf::actor& actor, term value);

  /// Removes the entries that an actor has under a key; how many those were.
  std::size_t remove(const term& key, const caf::actor_addr& owner);

  /// Removes the entries of the first live actor under a key; how many those were.
  std::size_t remove(const term& key);

  /// The first live actor under a key, or null.
  caf::actor find(const term& key) const;

  /// What live actors have under a key, oldest first.
  std::vector<registry_entry> lookup(const term& key) const;

  /// The keys of an actor, one for each entry.
  std::vector<term> keys_of(const caf::actor_addr& owner) const;

  /// The keys that live actors have.
  std::vector<term> keys() const;

  /// The number of entries, of the live and of those that are just ending.
  std::size_t size() const;

 private:
  using ordinal = std::uint64_t; // identifies an entry, and orders those of one key
  using entries = std::map<ordinal, registry_entry>;
  using held_keys = std::unordered_multimap<term, ordinal>;

  // Locks are taken in this order: one shard of owners, then one of keys. No handle is dropped
  // under a lock, since the last one ends its actor, which comes back to remove its entries.
  struct alignas(64) owner_shard {
    mutable std::mutex mutex;
    std::unordered_map<caf::actor_addr, held_keys> owners; // once entered, until they end
  };
  struct alignas(64) key_shard {
    mutable std::shared_mutex mutex;
    std::unordered_map<term, entries> keys;
  };

  name_result enter(const term& key, const caf::actor& actor, term value, bool& is_new);
  void remove_all(const caf::actor_addr& owner);
  registry_entry take(const term& key, ordinal at);

  static constexpr std::size_t shards = 16;

  const rule rule_;
  std::atomic<ordinal> last_ = 0;
  std::array<owner_shard, shards> owners_;
  std::array<key_shard, shards> keys_;

  owner_shard& shard_of(const caf::actor_addr& owner) {
    return owners_[std::hash<caf::actor_addr>{}(owner) % shards];
  }
  const owner_shard& shard_of(const caf::actor_addr& owner) const {
    return owners_[std::hash<caf::actor_addr>{}(owner) % shards];
  }
  key_shard& shard_of(const term& key) { return keys_[hash_value(key) % shards]; }
  const key_shard& shard_of(const term& key) const { return keys_[hash_value(key) % shards]; }
};

} // namespace detail
} // namespace penning::actors
