#pragma once

#include <penning/supervision/child_spec.hpp>

#include <algorithm>
#include <concepts>
#include <ranges>
#include <vector>

namespace penning::supervision {

/// What a supervisor does to restart one of its children: children in the order in which each is
/// stopped, forgotten and started.
template <class Child>
struct restart_plan {
  std::vector<Child*> stop;   ///< One that does not run, or waits for a retry, has nothing to stop.
  std::vector<Child*> forget; ///< After all are stopped: a temporary one is never started again.
  std::vector<Child*> start;  ///< Also those that did not run before.
};

/// The plan for `failed`, which is one of `children`, all in the order of their start;
/// `restart_of(child)` is a child's `restart_type`. The failed one has nothing to stop.
/// Complexity: O(1) for `one_for_one`, else O(n). Source: `restart/3` in OTP's `supervisor.erl`.
template <std::ranges::bidirectional_range Children, class RestartOf>
auto plan_restart(strategy how, Children& children, std::ranges::iterator_t<Children> failed,
                  RestartOf restart_of) {
  using child = std::ranges::range_value_t<Children>;
  restart_plan<child> plan;
  if (how != strategy::one_for_all && how != strategy::rest_for_one) {
    plan.start.push_back(&*failed);
    return plan;
  }
  const auto first = how == strategy::one_for_all ? children.begin() : failed;
  for (auto& each : std::ranges::subrange(first, children.end())) {
    if (&each != &*failed)
      plan.stop.push_back(&each);
    if (restart_of(each) == restart_type::temporary)
      plan.forget.push_back(&each);
    else
      plan.start.push_back(&each);
  }
  std::ranges::reverse(plan.stop);
  return plan;
}

} // namespace penning::supervision
