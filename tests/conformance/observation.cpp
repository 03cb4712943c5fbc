#include "observation.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace penning::conformance {

namespace {

using namespace actors::literals;

/// `[{Key, Value}, ...]`
const term* lookup(const term& list, const actors::atom& key) {
  for (const auto& each : *list.get_if<actors::list>())
    if (const auto* pair = each.get_if<actors::tuple>();
        pair && pair->size() == 2 && (*pair)[0] == key)
      return &(*pair)[1];
  return nullptr;
}

/// `[Kind, Supervisor, Id, Pid, Reason]`
json report_entry(const term& report, const world& where) {
  const auto text = [&](const term* value) { return value ? where.text(*value) : "none"; };
  const auto supervisor = lookup(report, "supervisor"_a)->as<std::string>().value_or("?");
  const auto* started = lookup(report, "started"_a);
  const auto* child = started ? started : lookup(report, "offender"_a);
  const auto kind = started ? "progress" : text(lookup(report, "errorContext"_a));
  const auto reason = started ? "started" : text(lookup(report, "reason"_a));
  if (!child)
    return {kind, supervisor, "none", "none", reason};
  const auto* group = lookup(*child, "nb_children"_a);
  const auto pid =
    group ? "{nb_children," + where.text(*group) + "}" : text(lookup(*child, "pid"_a));
  return {kind, supervisor, text(lookup(*child, "id"_a)), pid, reason};
}

json which(session& on, const instance& whom) {
  auto result = json::array();
  const auto children = on.await(on.list_children(whom.pid));
  for (const auto& child : *children.get_if<actors::list>()) {
    const auto& parts = *child.get_if<actors::tuple>();
    const auto text = [&](std::size_t i) { return on.events().text(parts[i]); };
    result.push_back({text(0), text(1), text(2)});
  }
  return whom.is_dynamic ? sorted(std::move(result)) : result;
}

json count(session& on, const instance& whom) {
  auto result = json::array();
  const auto counts = on.await(on.count_children(whom.pid, false));
  for (const auto& each : *counts.get_if<actors::list>())
    result.push_back((*each.get_if<actors::tuple>())[1].as<std::int64_t>().value());
  return result;
}

json nested(session& on) {
  auto result = json::array();
  for (const auto& each : on.live_ones())
    if (each.is_supervisor && each.number > 0)
      result.push_back({each.name(), which(on, each)});
  return sorted(std::move(result));
}

json orphans(const session& on) {
  auto result = json::array();
  for (const auto& each : on.live_ones())
    if (!each.is_supervisor)
      result.push_back(each.name());
  return sorted(std::move(result));
}

} // namespace

json sorted(json list) {
  std::sort(list.begin(), list.end());
  return list;
}

json observe(session& on) {
  auto& where = on.events();
  auto [trace, reports, end] = where.update([](auto& s) {
    return std::tuple{std::exchange(s.trace, {}), std::exchange(s.reports, {}), s.top_exit};
  });
  json step{{"trace", std::move(trace)}, {"reports", json::array()}};
  for (const auto& each : reports)
    step["reports"].push_back(report_entry(each, where));
  const auto top = on.latest("top");
  step["alive"] = top && top->is_live();
  if (!step["alive"]) {
    step["orphans"] = orphans(on);
    if (end)
      step["exit"] = where.text(*end);
    return step;
  }
  step["which"] = which(on, *top);
  step["count"] = count(on, *top);
  if (auto others = nested(on); !others.empty())
    step["nested"] = std::move(others);
  return step;
}

} // namespace penning::conformance
