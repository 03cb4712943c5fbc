#include "room.hpp"

#include <gtest/gtest.h>

namespace penning::bench {
namespace {

constexpr room plenty{.descriptors = 1'000'000, .processes = 1'000'000};

TEST(Room, ThereIsForAsManyAsAreWanted) {
  EXPECT_EQ(children_in(plenty, 10'000, 4), 10'000u);
}

TEST(Room, DescriptorsAreForAllOfAChildAndForTheRuntime) {
  auto there = plenty;
  there.descriptors = 20'000;
  EXPECT_EQ(children_in(there, 10'000, 4), 4'875u);
}

TEST(Room, OthersHaveTheirProcesses) {
  auto there = plenty;
  there.processes = 5'000;
  EXPECT_EQ(children_in(there, 10'000, 4), 4'000u);
}

TEST(Room, OfTooLittleThereIsNone) {
  EXPECT_EQ(children_in({.descriptors = 10, .processes = 10}, 10'000, 4), 0u);
}

TEST(Room, AMachineHasSome) {
  const auto there = make_room();
  EXPECT_GT(there.descriptors, 0u);
  EXPECT_GT(there.processes, 0u);
}

} // namespace
} // namespace penning::bench
