#include "world.hpp"

#include <algorithm>

namespace penning::conformance {

namespace {

json stop_entry(const instance& of, const std::string& reason) {
  return json::array({"stop", of.id, of.number, reason});
}

} // namespace

caf::actor_id id_of(const actors::pid& pid) {
  return pid.id | std::uint64_t{pid.serial} << 32;
}

const instance* world::state::find(caf::actor_id pid) const {
  const auto found = instances.find(pid);
  return found == instances.end() ? nullptr : &found->second;
}

const instance* world::state::latest(const std::string& id) const {
  const instance* result = nullptr;
  for (const auto& [pid, each] : instances)
    if (each.id == id && each.start != instance::stage::failed
        && (!result || each.number > result->number))
      result = &each;
  return result;
}

bool world::state::is_settled() const {
  return std::ranges::all_of(instances, [](const auto& entry) {
    const auto& each = entry.second;
    return each.is_live() ? !each.delays : each.gone;
  });
}

bool world::wait_for(std::chrono::seconds limit,
                     const std::function<bool(const state&)>& done) const {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, limit, [&] { return done(state_); });
}

std::size_t world::add_script(child_script script) {
  const std::lock_guard lock{mutex_};
  scripts_.push_back(std::make_shared<const child_script>(std::move(script)));
  return scripts_.size() - 1;
}

std::shared_ptr<const child_script> world::script(std::size_t number) const {
  const std::lock_guard lock{mutex_};
  return scripts_.at(number);
}

void world::set_plan(const std::string& id, std::vector<std::string> outcomes) {
  const std::lock_guard lock{mutex_};
  plans_[id].assign(outcomes.begin(), outcomes.end());
}

world::call world::next_call(const std::string& id) {
  const std::lock_guard lock{mutex_};
  ++state_.activity;
  call result{++calls_[id], "ok"};
  if (auto& plan = plans_[id]; !plan.empty()) {
    result.outcome = plan.front();
    plan.pop_front();
  }
  return result;
}

void world::enter(instance added) {
  update([&](state& s) {
    ++s.activity;
    const auto pid = added.pid.id();
    s.instances.emplace(pid, std::move(added));
  });
}

void world::start_succeeded(caf::actor_id pid) {
  update([&](state& s) {
    ++s.activity;
    auto& started = s.instances.at(pid);
    started.start = instance::stage::started;
    if (started.number > 0)
      s.trace.push_back(json::array({"start", started.id, started.number}));
  });
}

void world::start_failed(const std::string& kind, const std::string& id, int number) {
  update([&](state& s) {
    ++s.activity;
    s.trace.push_back(json::array({kind, id, number}));
  });
}

void world::start_failed(const std::string& kind, caf::actor_id pid) {
  update([&](state& s) {
    ++s.activity;
    auto& failed = s.instances.at(pid);
    failed.start = instance::stage::failed;
    if (failed.number > 0)
      s.trace.push_back(json::array({kind, failed.id, failed.number}));
  });
}

bool world::is_starting(caf::actor_id pid, const caf::actor_addr& parent) const {
  return read([&](const state& s) {
    const auto* known = s.find(pid);
    return known && known->parent == parent && known->start == instance::stage::starting;
  });
}

void world::leave(caf::actor_id pid, const term& reason) {
  const auto shown = text(reason);
  update([&](state& s) {
    const auto found = s.instances.find(pid);
    if (found == s.instances.end() || found->second.ended)
      return; // it never came as far
    ++s.activity;
    auto& left = found->second;
    left.ended = reason;
    if (left.number > 0 && left.start == instance::stage::started)
      s.trace.push_back(stop_entry(left, shown));
  });
}

void world::set_gone(caf::actor_id pid) {
  update([&](state& s) { s.instances.at(pid).gone = true; });
}

void world::set_delays(caf::actor_id pid) {
  update([&](state& s) {
    ++s.activity;
    s.instances.at(pid).delays = true;
  });
}

void world::complain(std::string what) {
  update([&](state& s) { s.complaints.push_back(std::move(what)); });
}

std::string world::text(const term& value) const {
  return to_text(value, [this](const actors::pid& pid) {
    return read([&](const state& s) {
      const auto* known = s.find(id_of(pid));
      return known ? known->name() : "stranger";
    });
  });
}

} // namespace penning::conformance
