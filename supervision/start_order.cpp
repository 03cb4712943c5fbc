#include <penning/supervision/start_order.hpp>

#include <functional>
#include <queue>
#include <unordered_map>
#include <utility>

namespace penning::supervision {

using namespace actors::literals;
using actors::tuple_of;

namespace {

/// Positions in `specs`, in the order of their start.
std::vector<std::size_t> start_order(const std::vector<child_spec>& specs) {
  std::unordered_map<term, std::size_t> positions;
  for (std::size_t i = 0; i < specs.size(); ++i)
    positions.emplace(specs[i].id, i);
  std::vector<std::size_t> waits_for(specs.size()); // how many it still does
  std::vector<std::vector<std::size_t>> followers(specs.size());
  for (std::size_t i = 0; i < specs.size(); ++i)
    for (const auto& id : specs[i].start_after) {
      const auto found = positions.find(id);
      if (found == positions.end())
        throw spec_error{tuple_of("invalid_start_after"_a, id)};
      followers[found->second].push_back(i);
      ++waits_for[i];
    }
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t i = 0; i < specs.size(); ++i)
    if (waits_for[i] == 0)
      ready.push(i);
  std::vector<std::size_t> order;
  while (!ready.empty()) {
    order.push_back(ready.top());
    ready.pop();
    for (const auto next : followers[order.back()])
      if (--waits_for[next] == 0)
        ready.push(next);
  }
  if (order.size() < specs.size()) {
    std::vector<term> cycle;
    for (std::size_t i = 0; i < specs.size(); ++i)
      if (waits_for[i] > 0)
        cycle.push_back(specs[i].id);
    throw spec_error{tuple_of("start_after_cycle"_a, actors::list{std::move(cycle)})};
  }
  return order;
}

} // namespace

std::vector<child_spec> in_start_order(std::vector<child_spec> specs) {
  std::vector<child_spec> ordered;
  for (const auto position : start_order(specs))
    ordered.push_back(std::move(specs[position]));
  return ordered;
}

void check_start_order(const std::vector<child_spec>& specs) {
  start_order(specs);
}

std::vector<term> start_after_from_term(const term& value) {
  auto ids = value.as<std::vector<term>>();
  if (!ids)
    throw spec_error{tuple_of("invalid_start_after"_a, value)};
  return std::move(*ids);
}

} // namespace penning::supervision
