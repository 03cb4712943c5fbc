#include <penning/supervision/partition_table.hpp>

#include <penning/actors/process.hpp>

#include <algorithm>
#include <ranges>
#include <stdexcept>
#include <thread>
#include <utility>

namespace penning::supervision {

std::size_t partition_of(const term& key, std::size_t count) noexcept {
  if (const auto* value = key.get_if<std::int64_t>()) {
    const auto bits = static_cast<std::uint64_t>(*value);
    return (*value < 0 ? 0 - bits : bits) % count;
  }
  if (const auto* value = key.get_if<actors::big_integer>()) {
    std::size_t rest = 0;
    for (const auto byte : std::views::reverse(value->magnitude()))
      rest = (rest * 256 + byte) % count;
    return rest;
  }
  return hash_value(key) % count;
}

std::size_t partition_table::processors() noexcept {
  return std::max(1U, std::thread::hardware_concurrency());
}

partition_table::partition_table(std::size_t most) : slots_(most) {
  if (most == 0)
    throw std::invalid_argument{"partition_table: 0 partitions: must be at least 1"};
}

caf::actor partition_table::find(const term& key) const {
  const auto count = partitions();
  if (count == 0)
    return nullptr;
  const auto& place = slots_[partition_of(key, count)];
  caf::actor found;
  {
    const std::shared_lock lock{place.mutex};
    found = place.process;
  }
  return found && actors::process::is_alive(found) ? found : nullptr;
}

actors::name_result partition_table::register_name(const term& key, const caf::actor&) {
  throw std::logic_error{"partition_table: the process of " + to_string(key)
                         + " is its supervisor's to name"};
}

bool partition_table::unregister_name(const term& key) {
  throw std::logic_error{"partition_table: the process of " + to_string(key)
                         + " is its supervisor's to name"};
}

caf::actor_addr partition_table::open(const caf::actor_addr& supervisor) {
  const std::lock_guard lock{owner_mutex_};
  if (owner_)
    return owner_;
  owner_ = supervisor;
  set_partitions(max_partitions());
  return nullptr;
}

void partition_table::close(const caf::actor_addr& supervisor) {
  {
    const std::lock_guard lock{owner_mutex_};
    if (owner_ != supervisor)
      return;
    set_partitions(0);
  }
  for (auto& place : slots_) {
    caf::actor dropped;
    const std::unique_lock lock{place.mutex};
    std::swap(place.process, dropped);
  }
  const std::lock_guard lock{owner_mutex_};
  owner_ = nullptr;
}

void partition_table::enter(std::size_t partition, const caf::actor& process) {
  auto entered = process;
  {
    const std::unique_lock lock{slots_[partition].mutex};
    std::swap(slots_[partition].process, entered);
  }
  actors::process::at_end(process, [table = weak_from_this(), partition, who = process.address()] {
    if (const auto self = table.lock())
      self->leave(partition, who);
  });
}

void partition_table::leave(std::size_t partition, const caf::actor_addr& process) {
  caf::actor dropped;
  const std::unique_lock lock{slots_[partition].mutex};
  if (slots_[partition].process.address() == process)
    std::swap(slots_[partition].process, dropped);
}

} // namespace penning::supervision
