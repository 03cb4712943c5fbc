#include <penning/supervision/start_order.hpp>

#include "support/print_term.hpp"

#include <gtest/gtest.h>

namespace penning::supervision {
namespace {

using namespace actors::literals;
using actors::list_of;
using actors::tuple_of;
using ids = std::vector<term>;

child_spec child(const char* id, std::vector<term> start_after = {}) {
  return {.id = actors::atom{id}, .start = {}, .start_after = std::move(start_after)};
}

ids order_of(std::vector<child_spec> specs) {
  ids result;
  for (const auto& each : in_start_order(std::move(specs)))
    result.push_back(each.id);
  return result;
}

term error_of(const std::vector<child_spec>& specs) {
  try {
    check_start_order(specs);
    return "none"_a;
  } catch (const spec_error& error) {
    return error.reason();
  }
}

TEST(StartOrder, IsThatOfTheListUnlessAChildWaits) {
  EXPECT_EQ(order_of({}), ids{});
  EXPECT_EQ(order_of({child("c"), child("a"), child("b")}), (ids{"c"_a, "a"_a, "b"_a}));
  EXPECT_EQ(order_of({child("a"), child("b", {"a"_a, "a"_a})}), (ids{"a"_a, "b"_a}));
}

TEST(StartOrder, PutsOffWhoWaits) {
  EXPECT_EQ(order_of({child("web", {"db"_a}), child("log"), child("db"), child("last")}),
            (ids{"log"_a, "db"_a, "web"_a, "last"_a}));
  EXPECT_EQ(order_of({child("c", {"b"_a}), child("b", {"a"_a}), child("a")}),
            (ids{"a"_a, "b"_a, "c"_a}));
  EXPECT_EQ(order_of({child("d", {"b"_a, "c"_a}), child("c", {"a"_a}), child("b"), child("a")}),
            (ids{"b"_a, "a"_a, "c"_a, "d"_a}));
}

TEST(StartOrder, FindsWhoIsMissing) {
  EXPECT_EQ(error_of({child("a", {"b"_a})}), tuple_of("invalid_start_after"_a, "b"_a));
  EXPECT_EQ(start_after_from_term(list_of("a"_a, 1)), (ids{"a"_a, 1}));
  EXPECT_THROW(start_after_from_term("a"_a), spec_error);
}

TEST(StartOrder, FindsCircles) {
  EXPECT_EQ(error_of({child("a", {"a"_a})}), tuple_of("start_after_cycle"_a, list_of("a"_a)));
  EXPECT_EQ(error_of({child("x"), child("a", {"b"_a}), child("b", {"c"_a}), child("c", {"a"_a})}),
            tuple_of("start_after_cycle"_a, list_of("a"_a, "b"_a, "c"_a)));
}

} // namespace
} // namespace penning::supervision
