#include <penning/supervision/child_list.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace penning::supervision {
namespace {

using namespace actors::literals;

std::shared_ptr<const child_spec> spec(std::uint64_t id) {
  return std::make_shared<const child_spec>(child_spec{.id = id, .start = {}});
}

child_list numbers(std::uint64_t count) {
  child_list result;
  for (std::uint64_t i = 0; i < count; ++i)
    result.push_back({spec(i), nullptr, i, child_state::restarting});
  return result;
}

std::vector<std::uint64_t> ids(const child_list& list) {
  std::vector<std::uint64_t> result;
  for (const auto& each : list)
    result.push_back(each.id.as<std::uint64_t>().value());
  return result;
}

TEST(ChildList, ShowsWhatWasPut) {
  const auto list = numbers(1000);
  EXPECT_EQ(list.size(), 1000u);
  EXPECT_EQ(list[999].id, term{999});
  EXPECT_EQ(list[0].state, child_state::restarting);
  EXPECT_TRUE(std::ranges::is_sorted(ids(list)));
  EXPECT_EQ(list.end() - list.begin(), 1000);
}

TEST(ChildList, PutsTheLastOneInThePlaceOfARemovedOne) {
  auto list = numbers(4);
  EXPECT_EQ(list.remove(1), 3u);
  EXPECT_EQ(ids(list), (std::vector<std::uint64_t>{0, 3, 2}));
  EXPECT_EQ(list.remove(2), 2u) << "the last one itself";
  EXPECT_EQ(ids(list), (std::vector<std::uint64_t>{0, 3}));
}

TEST(ChildList, GrowsAndShrinksAcrossChunks) {
  auto list = numbers(600);
  while (!list.empty())
    list.remove(list.size() / 2);
  for (std::uint64_t i = 0; i < 300; ++i)
    list.push_back({spec(i), nullptr, i, child_state::running});
  EXPECT_EQ(ids(list).back(), 299u);
}

TEST(ChildList, CopyStaysAsItWas) {
  auto list = numbers(600);
  const auto copy = list;
  list.own(0).state = child_state::running;
  list.remove(300);
  list.push_back({spec(7), nullptr, 7, child_state::running});
  EXPECT_EQ(ids(copy), ids(numbers(600)));
  EXPECT_EQ(copy[0].state, child_state::restarting);
  EXPECT_EQ(list[0].state, child_state::running);
  EXPECT_EQ(list[599].id, term{7});
}

} // namespace
} // namespace penning::supervision
