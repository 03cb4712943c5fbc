#include <penning/supervision/restart_plan.hpp>

#include <gtest/gtest.h>

#include <list>
#include <string>

namespace penning::supervision {
namespace {

struct planned {
  char name;
  restart_type restart = restart_type::permanent;
};

std::string names(const std::vector<planned*>& children) {
  std::string result;
  for (const auto* each : children)
    result += each->name;
  return result;
}

/// What is stopped, forgotten and started, in order, if `failed` of a, b, t (temporary), d fails.
std::vector<std::string> plan(strategy how, char failed) {
  std::list<planned> children{{'a'}, {'b'}, {'t', restart_type::temporary}, {'d'}};
  const auto which = std::ranges::find(children, failed, &planned::name);
  const auto found =
    plan_restart(how, children, which, [](const planned& each) { return each.restart; });
  return {names(found.stop), names(found.forget), names(found.start)};
}

using parts = std::vector<std::string>;

TEST(RestartPlan, OneForOneIsOnlyTheOneThatFailed) {
  EXPECT_EQ(plan(strategy::one_for_one, 'b'), (parts{"", "", "b"}));
}

TEST(RestartPlan, OneForAllStopsTheOthersInReverseAndStartsAllButTemporaryOnes) {
  EXPECT_EQ(plan(strategy::one_for_all, 'b'), (parts{"dta", "t", "abd"}));
}

TEST(RestartPlan, RestForOneLeavesThoseBeforeAlone) {
  EXPECT_EQ(plan(strategy::rest_for_one, 'b'), (parts{"dt", "t", "bd"}));
  EXPECT_EQ(plan(strategy::rest_for_one, 'd'), (parts{"", "", "d"}));
}

} // namespace
} // namespace penning::supervision
