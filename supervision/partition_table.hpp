#pragma once

#include <penning/actors/registry_name.hpp>
#include <penning/actors/server_ref.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

namespace penning::supervision {

class partition_supervisor;

using actors::term;

/// Which process has which partition: what the callers of a `partition_supervisor` look into, past
/// the supervisor itself. It is made before the supervisor and stays when that is started again.
///
/// A key that is an integer belongs to the partition `rem(abs(Key), N)`, any other to its hash
/// modulo N. The hash is our own, not Erlang's `phash2`, and may change with the next version: keep
/// no partition beyond the run of the program.
///
/// A partition whose process has ended has none until the next one is up: it is found neither
/// dead nor half started. To be made by `std::make_shared`; as a `via` it only finds, names cannot
/// be registered with it.
/// Thread safety: all of it; a look takes one shared lock, of that partition only.
class partition_table final : public actors::name_registry,
                              public std::enable_shared_from_this<partition_table> {
 public:
  /// Without `most` as many partitions as there are processors.
  /// Errors: `std::invalid_argument` for none.
  explicit partition_table(std::size_t most = processors());

  /// How many there are now; 0 while they have no supervisor.
  std::size_t partitions() const noexcept { return count_.load(std::memory_order_acquire); }

  /// How many their supervisor starts with.
  std::size_t max_partitions() const noexcept { return slots_.size(); }

  /// The process of a key, or null if its partition has none at the moment.
  caf::actor find(const term& key) const;

  /// `find` as a handle, whose calls fail with `noproc` while there is no process.
  template <class Server>
  actors::server_ref<Server> ref(const term& key) const {
    return actors::server_ref<Server>{find(key)};
  }

  /// The same as a name, which finds the process anew each time.
  actors::server_name via(term key) { return actors::via{shared_from_this(), std::move(key)}; }

  caf::actor whereis_name(const term& key) const override { return find(key); }
  /// Errors: `std::logic_error`, both of them.
  actors::name_result register_name(const term& key, const caf::actor& actor) override;
  bool unregister_name(const term& key) override;

 private:
  friend class partition_supervisor;

  /// Takes the table; who has it if that is somebody else.
  caf::actor_addr open(const caf::actor_addr& supervisor);
  /// Gives it back, and forgets all processes.
  void close(const caf::actor_addr& supervisor);
  void set_partitions(std::size_t count) noexcept {
    count_.store(count, std::memory_order_release);
  }
  /// Until it ends the partition's process is this one.
  void enter(std::size_t partition, const caf::actor& process);

  struct alignas(64) slot {
    mutable std::shared_mutex mutex;
    caf::actor process; // dropped without the lock: the last handle ends it, which comes back here
  };

  static std::size_t processors() noexcept;
  void leave(std::size_t partition, const caf::actor_addr& process);

  std::vector<slot> slots_;
  std::atomic<std::size_t> count_ = 0;
  std::mutex owner_mutex_;
  caf::actor_addr owner_;
};

/// The partition of a key among `count`, at least 1. Complexity: linear in the key's size.
std::size_t partition_of(const term& key, std::size_t count) noexcept;

} // namespace penning::supervision
