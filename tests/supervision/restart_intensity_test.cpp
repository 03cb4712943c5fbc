#include <penning/supervision/restart_intensity.hpp>

#include <gtest/gtest.h>

namespace penning::supervision {
namespace {

using namespace std::chrono_literals;

TEST(RestartIntensity, AllowsAsManyAsItSays) {
  restart_intensity restarts{2, 5s};
  EXPECT_TRUE(restarts.add(100s));
  EXPECT_TRUE(restarts.add(100s));
  EXPECT_FALSE(restarts.add(100s));
}

TEST(RestartIntensity, ZeroMeansThatTheFirstIsOneTooMany) {
  restart_intensity restarts{0, 5s};
  EXPECT_FALSE(restarts.add(0s));
}

TEST(RestartIntensity, CountsAnEntryUntilItIsOlderThanThePeriod) {
  restart_intensity restarts{1, 5s};
  EXPECT_TRUE(restarts.add(100s));
  EXPECT_FALSE(restarts.add(105s)) << "as old as the period still counts";
  restart_intensity later{1, 5s};
  EXPECT_TRUE(later.add(100s));
  EXPECT_TRUE(later.add(106s));
}

} // namespace
} // namespace penning::supervision
