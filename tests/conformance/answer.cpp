#include "answer.hpp"

#include <algorithm>
#include <utility>

namespace penning::conformance {

using namespace actors::literals;
using actors::tuple_of;

namespace {

std::string sorted_list(const std::string& text) {
  const auto parsed = parse_term(text);
  const auto& list = *parsed.get_if<actors::list>();
  std::vector<term> elements(list.begin(), list.end());
  std::ranges::sort(elements);
  return to_text(actors::list{std::move(elements)}, {});
}

json arranged(std::string text, const answer& like) {
  return like.any_order && text.starts_with('[') ? sorted_list(text) : text;
}

term shown_pid(const supervision::child_info& child) {
  using enum supervision::child_state;
  if (child.state == running)
    return actors::to_pid(child.pid.address());
  return child.state == restarting ? "restarting"_a : "undefined"_a;
}

} // namespace

outcome known(term value) {
  return {std::make_shared<answer>(answer{std::move(value)})};
}

term to_term(const supervision::children& all) {
  std::vector<term> result;
  for (const auto& each : all.list)
    result.push_back(
      tuple_of(each.id, shown_pid(each), actors::atom{to_string(each.type)}, each.modules));
  return actors::list{std::move(result)};
}

term to_term(const supervision::child_counts& count, bool is_elixir) {
  if (is_elixir)
    return actors::map_of({{"active"_a, count.active},
                           {"specs"_a, count.specs},
                           {"supervisors"_a, count.supervisors},
                           {"workers"_a, count.workers}});
  return actors::list_of(tuple_of("specs"_a, count.specs), tuple_of("active"_a, count.active),
                         tuple_of("supervisors"_a, count.supervisors),
                         tuple_of("workers"_a, count.workers));
}

json to_json(const outcome& done, const world& where) {
  if (done.single)
    return arranged(where.text(*done.single->value), *done.single);
  auto result = json::array();
  for (const auto& each : done.batch)
    result.push_back(to_json(each, where));
  return result;
}

json in_order(json expected, const outcome& done) {
  if (done.single)
    return expected.is_string() ? arranged(expected.get<std::string>(), *done.single) : expected;
  for (std::size_t i = 0; i < done.batch.size() && i < expected.size(); ++i)
    expected[i] = in_order(expected[i], done.batch[i]);
  return expected;
}

} // namespace penning::conformance
