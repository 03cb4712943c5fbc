#pragma once

#include <penning/actors/term.hpp>

#include <initializer_list>
#include <ranges>
#include <utility>
#include <vector>

namespace penning::actors {

namespace detail {

template <class... Ts>
std::vector<term> terms(Ts&&... values) {
  std::vector<term> result;
  result.reserve(sizeof...(values));
  (result.emplace_back(std::forward<Ts>(values)), ...);
  return result;
}

} // namespace detail

/// `tuple_of("exit_status"_a, 3)` is `{exit_status,3}`.
template <class... Ts>
tuple tuple_of(Ts&&... elements) {
  return tuple{detail::terms(std::forward<Ts>(elements)...)};
}

/// `list_of(1, "a"_a)` is `[1,a]`.
template <class... Ts>
list list_of(Ts&&... elements) {
  return list{detail::terms(std::forward<Ts>(elements)...)};
}

/// A list of what a range holds.
template <std::ranges::input_range Range>
list list_from(Range&& range) {
  std::vector<term> elements;
  for (auto&& element : range)
    elements.emplace_back(std::forward<decltype(element)>(element));
  return list{std::move(elements)};
}

/// `map_of({{"a"_a, 1}, {"b"_a, "text"}})` is `#{a => 1,b => <<"text">>}`.
inline map map_of(std::initializer_list<std::pair<term, term>> entries) {
  return map{std::vector<std::pair<term, term>>{entries}};
}

/// A list of the text's characters, as an Erlang string literal is; `text` is UTF-8.
/// Errors: `std::invalid_argument` if it is not.
list charlist(std::string_view text);

} // namespace penning::actors
