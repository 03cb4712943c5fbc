#include <penning/bridge/actor_handle.hpp>

#include <penning/actors/callback_process.hpp>
#include <penning/supervision/supervisor_core.hpp>

#include <algorithm>

namespace penning::bridge {

void unconsumed_output::consumed(std::size_t bytes) {
  while (!waiting_.empty() && waiting_.front().bytes <= bytes) {
    bytes -= waiting_.front().bytes;
    waiting_.front().answer.deliver(caf::unit);
    waiting_.pop_front();
  }
  if (!waiting_.empty())
    waiting_.front().bytes -= bytes;
}

void unconsumed_output::release() {
  for (auto& each : std::exchange(waiting_, {}))
    each.answer.deliver(caf::unit);
}

actor_handle::kind kind_of(const caf::actor& actor) {
  const auto* known = caf::actor_cast<caf::abstract_actor*>(actor);
  if (dynamic_cast<const supervision::supervisor_core*>(known))
    return actor_handle::kind::cpp_supervisor;
  if (dynamic_cast<const actors::callback_process*>(known))
    return actor_handle::kind::cpp_server;
  return actor_handle::kind::cpp_actor;
}

actor_handle& handle_table::add(actor_handle added) {
  const auto which = added.address.id();
  if (auto* supervisor = find(added.supervisor))
    supervisor->children.insert(which);
  return all_.emplace(which, std::move(added)).first->second;
}

actor_handle* handle_table::find(id which) {
  const auto found = all_.find(which);
  return found == all_.end() ? nullptr : &found->second;
}

std::vector<handle_table::ended> handle_table::remove(id which, const term& reason) {
  auto* found = find(which);
  if (!found)
    return {};
  if (!found->children.empty()) {
    found->ended = reason;
    return {};
  }
  std::vector<ended> result;
  result.push_back({which, std::move(all_.extract(which).mapped()), reason});
  const auto above = result.front().handle.supervisor;
  auto* supervisor = find(above);
  if (supervisor && supervisor->children.erase(which) > 0 && supervisor->ended
      && supervisor->children.empty()) {
    auto last = std::move(all_.extract(above).mapped());
    auto why = *std::move(last.ended);
    result.push_back({above, std::move(last), std::move(why)});
  }
  return result;
}

bool handle_table::owns_none() const {
  return std::ranges::none_of(all_, [](const auto& entry) { return !!entry.second.owned; });
}

} // namespace penning::bridge
