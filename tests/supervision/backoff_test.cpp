#include <penning/supervision/backoff.hpp>
#include <penning/supervision/child_spec.hpp>

#include "support/print_term.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace penning::supervision {
namespace {

using namespace std::chrono_literals;
using namespace actors::literals;
using actors::list_of;
using actors::map_of;
using actors::tuple_of;

constexpr backoff plain{.initial = 100ms, .max = 1s, .factor = 2, .jitter = 0, .reset_after = 10s};

TEST(Backoff, GrowsToItsLimit) {
  EXPECT_EQ(delay(plain, 0, 0.5), 100ms);
  EXPECT_EQ(delay(plain, 1, 0.5), 200ms);
  EXPECT_EQ(delay(plain, 3, 0.5), 800ms);
  EXPECT_EQ(delay(plain, 4, 0.5), 1s);
  EXPECT_EQ(delay(plain, std::numeric_limits<unsigned>::max(), 0.5), 1s);
}

TEST(Backoff, StaysTheSameWithoutAFactor) {
  auto steady = plain;
  steady.factor = 1;
  EXPECT_EQ(delay(steady, 1'000'000, 0), 100ms);
}

TEST(Backoff, LeavesOutAPartAtRandom) {
  auto random = plain;
  random.jitter = 0.25;
  EXPECT_EQ(delay(random, 0, 0), 100ms);
  EXPECT_EQ(delay(random, 0, 1), 75ms);
  EXPECT_EQ(delay(random, 9, 1), 750ms);
  restart_delay child;
  for (int i = 0; i < 100; ++i) {
    const auto time = child.next(random, {});
    EXPECT_GE(time, 75ms);
    EXPECT_LE(time, 1s);
  }
}

TEST(Backoff, BeginsAnewAfterAHealthyTime) {
  restart_delay child;
  restart_delay::time_point now{};
  child.started(now);
  EXPECT_EQ(child.next(plain, now += 1s), 100ms);
  child.started(now);
  EXPECT_EQ(child.next(plain, now += 9'999ms), 200ms);
  EXPECT_EQ(child.next(plain, now += 20s), 400ms) << "its start has failed: it was not up";
  child.started(now);
  EXPECT_EQ(child.next(plain, now += 10s), 100ms);
}

term error_of(const term& value) {
  try {
    backoff_from_term(value);
    return "none"_a;
  } catch (const spec_error& error) {
    return error.reason();
  }
}

TEST(Backoff, ComesAsAMapOrAList) {
  EXPECT_EQ(backoff_from_term(map_of({})), backoff{});
  EXPECT_EQ(backoff_from_term(actors::list{}), backoff{});
  const auto given = map_of({{"initial"_a, 100},
                             {"max"_a, 1000},
                             {"factor"_a, 2},
                             {"jitter"_a, 0.0},
                             {"reset_after"_a, 10'000}});
  EXPECT_EQ(backoff_from_term(given), plain);
  EXPECT_EQ(backoff_from_term(to_term(plain)), plain);
  EXPECT_EQ(backoff_from_term(list_of(tuple_of("factor"_a, 1.5))).factor, 1.5);
}

TEST(Backoff, SaysWhatIsWrong) {
  const auto invalid = [](const term& what) { return tuple_of("invalid_backoff"_a, what); };
  EXPECT_EQ(error_of("soon"_a), invalid("soon"_a));
  EXPECT_EQ(error_of(list_of("initial"_a)), invalid(list_of("initial"_a)));
  for (const auto& [key, value] : std::vector<std::pair<term, term>>{
         {"initial"_a, 0},
         {"initial"_a, 1.5},
         {"initial"_a, 4'294'967'296},
         {"initial"_a, 40'000}, // more than max, which is then told
         {"max"_a, -1},
         {"max"_a, "long"_a},
         {"factor"_a, 0.5},
         {"factor"_a, "two"_a},
         {"jitter"_a, 1.5},
         {"jitter"_a, -0.5},
         {"reset_after"_a, -1},
         {"colour"_a, 1},
       }) {
    const bool too_small_max = value == term{40'000};
    EXPECT_EQ(error_of(map_of({{key, value}})),
              invalid(too_small_max ? tuple_of("max"_a, 30'000) : tuple_of(key, value)));
  }
}

} // namespace
} // namespace penning::supervision
