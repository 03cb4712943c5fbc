#include "statistics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace penning::bench {
namespace {

using testing::ElementsAre;

TEST(Statistics, AQuantileIsAlwaysAValueThatWasMeasured) {
  const std::vector<double> values{40, 10, 30, 20};
  EXPECT_EQ(quantile(values, 0), 10);
  EXPECT_EQ(quantile(values, 0.25), 10);
  EXPECT_EQ(quantile(values, 0.5), 20);
  EXPECT_EQ(quantile(values, 0.51), 30);
  EXPECT_EQ(quantile(values, 0.99), 40);
  EXPECT_EQ(quantile(values, 1), 40);
}

TEST(Statistics, NothingMeasuredIsZero) {
  EXPECT_EQ(quantile({}, 0.99), 0);
}

TEST(Statistics, RatiosAreTakenWithinARound) {
  // given a second round in which the machine was twice as slow for both
  const std::vector<double> limit{100, 200};
  const std::vector<double> ours{150, 300};
  // then the ratio does not move
  EXPECT_THAT(ratios(ours, limit), ElementsAre(1.5, 1.5));
}

TEST(Statistics, TheSpreadHasBothEnds) {
  const auto spread = spread_of(std::vector<double>{3, 1, 2});
  EXPECT_EQ(spread.median, 2);
  EXPECT_EQ(spread.min, 1);
  EXPECT_EQ(spread.max, 3);
}

} // namespace
} // namespace penning::bench
