#include <penning/actors/process.hpp>
#include <penning/actors/registry_directory.hpp>

#include <algorithm>
#include <utility>

namespace penning::actors::detail {

namespace {

constexpr auto is_current = [](const auto& entry) { return process::is_alive(entry.second.actor); };

} // namespace

name_result directory::add(const term& key, const caf::actor& actor, term value) {
  if (!actor || !process::is_alive(actor))
    return {name_errc::not_alive, {}};
  bool is_new = false;
  auto result = enter(key, actor, std::move(value), is_new);
  if (is_new) // called at once if it has ended since; if it is not new, it has yet to be called
    process::at_end(actor, [weak = weak_from_this(), owner = actor.address()] {
      if (auto self = weak.lock())
        self->remove_all(owner);
    });
  return result;
}

name_result directory::enter(const term& key, const caf::actor& actor, term value, bool& is_new) {
  entries dead; // given up when nothing is locked any more
  auto& owners = shard_of(actor.address());
  const std::lock_guard own_lock{owners.mutex};
  auto& shard = shard_of(key);
  const std::lock_guard lock{shard.mutex};
  const auto found = shard.keys.find(key);
  const bool clash = found != shard.keys.end() && rule_ != rule::duplicate;
  if (clash && is_current(*found->second.begin()))
    return {name_errc::taken, found->second.begin()->second.actor};
  const auto held = owners.owners.find(actor.address());
  is_new = held == owners.owners.end();
  if (rule_ == rule::one_each && !is_new && !held->second.empty())
    return {name_errc::already_named, {}};
  if (clash)
    dead.swap(found->second);
  const auto at = ++last_;
  owners.owners[actor.address()].emplace(key, at);
  shard.keys[key].emplace(at, registry_entry{actor, std::move(value)});
  return {};
}

std::size_t directory::remove(const term& key, const caf::actor_addr& owner) {
  std::vector<registry_entry> gone;
  auto& shard = shard_of(owner);
  const std::lock_guard lock{shard.mutex};
  const auto held = shard.owners.find(owner);
  if (held == shard.owners.end())
    return 0;
  const auto [first, last] = held->second.equal_range(key);
  for (auto each = first; each != last; ++each)
    gone.push_back(take(key, each->second));
  held->second.erase(first, last);
  return gone.size();
}

std::size_t directory::remove(const term& key) {
  while (const auto owner = find(key))
    if (const auto removed = remove(key, owner.address()); removed > 0)
      return removed;
  return 0; // what another thread removes meanwhile is not ours
}

void directory::remove_all(const caf::actor_addr& owner) {
  held_keys held;
  {
    auto& shard = shard_of(owner);
    const std::lock_guard lock{shard.mutex};
    if (auto node = shard.owners.extract(owner))
      held = std::move(node.mapped());
  }
  for (const auto& [key, at] : held)
    take(key, at);
}

/// Nothing for an entry that another owner has replaced.
registry_entry directory::take(const term& key, ordinal at) {
  auto& shard = shard_of(key);
  const std::lock_guard lock{shard.mutex};
  const auto found = shard.keys.find(key);
  if (found == shard.keys.end())
    return {};
  registry_entry taken;
  if (auto node = found->second.extract(at))
    taken = std::move(node.mapped());
  if (found->second.empty())
    shard.keys.erase(found);
  return taken;
}

caf::actor directory::find(const term& key) const {
  const auto& shard = shard_of(key);
  const std::shared_lock lock{shard.mutex};
  if (const auto found = shard.keys.find(key); found != shard.keys.end())
    if (const auto first = std::find_if(found->second.begin(), found->second.end(), is_current);
        first != found->second.end())
      return first->second.actor;
  return nullptr;
}

std::vector<registry_entry> directory::lookup(const term& key) const {
  std::vector<registry_entry> result;
  const auto& shard = shard_of(key);
  const std::shared_lock lock{shard.mutex};
  if (const auto found = shard.keys.find(key); found != shard.keys.end())
    for (const auto& each : found->second)
      if (is_current(each))
        result.push_back(each.second);
  return result;
}

std::vector<term> directory::keys_of(const caf::actor_addr& owner) const {
  std::vector<term> result;
  const auto& shard = shard_of(owner);
  const std::lock_guard lock{shard.mutex};
  if (const auto held = shard.owners.find(owner); held != shard.owners.end())
    for (const auto& [key, at] : held->second)
      result.push_back(key);
  return result;
}

std::vector<term> directory::keys() const {
  std::vector<term> result;
  for (const auto& shard : keys_) {
    const std::shared_lock lock{shard.mutex};
    for (const auto& [key, each] : shard.keys)
      if (std::any_of(each.begin(), each.end(), is_current))
        result.push_back(key);
  }
  return result;
}

std::size_t directory::size() const {
  std::size_t result = 0;
  for (const auto& shard : keys_) {
    const std::shared_lock lock{shard.mutex};
    for (const auto& [key, each] : shard.keys)
      result += each.size();
  }
  return result;
}

} // namespace penning::actors::detail
