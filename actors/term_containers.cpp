#include <penning/actors/term.hpp>

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace penning::actors {
namespace {

using detail::node_ref;
using detail::term_node;

node_ref make_node(std::span<term> items) {
  return items.empty() ? node_ref{} : node_ref{term_node::make(items)};
}

auto by_key(std::span<const term> items) {
  return [items](std::uint32_t a, std::uint32_t b) { return items[2 * a] < items[2 * b]; };
}

/// Whether the keys stand in order already, none twice: what OTP sends for small maps.
bool ascends(std::span<const term> items) {
  for (std::size_t i = 2; i < items.size(); i += 2)
    if (!(items[i - 2] < items[i]))
      return false;
  return true;
}

/// The entries' positions by key; equal keys in the order in which they came.
std::vector<std::uint32_t> sort_keys(std::span<const term> items) {
  constexpr std::size_t small = 16; // where inserting beats merging, which allocates
  std::vector<std::uint32_t> order(items.size() / 2);
  std::iota(order.begin(), order.end(), 0U);
  if (order.size() > small)
    std::stable_sort(order.begin(), order.end(), by_key(items));
  else
    for (auto at = order.begin(); at != order.end(); ++at)
      std::rotate(std::upper_bound(order.begin(), at, *at, by_key(items)), at, at + 1);
  return order;
}

bool has_duplicate(std::span<const term> items, const std::vector<std::uint32_t>& order) {
  return std::adjacent_find(
           order.begin(), order.end(),
           [&](std::uint32_t a, std::uint32_t b) { return items[2 * a] == items[2 * b]; })
         != order.end();
}

/// Keeps the first place and the last value of each key.
std::vector<term> without_duplicates(std::vector<term> items,
                                     const std::vector<std::uint32_t>& order) {
  std::vector<bool> dropped(order.size());
  for (std::size_t i = 0, first = 0; i < order.size(); ++i) {
    if (i == 0 || items[2 * order[i]] != items[2 * order[first]]) {
      first = i;
      continue;
    }
    items[2 * order[first] + 1] = std::move(items[2 * order[i] + 1]);
    dropped[order[i]] = true;
  }
  std::vector<term> kept;
  for (std::size_t i = 0; i < dropped.size(); ++i)
    if (!dropped[i])
      kept.insert(kept.end(), {std::move(items[2 * i]), std::move(items[2 * i + 1])});
  return kept;
}

std::vector<term> flatten(const std::vector<std::pair<term, term>>& entries) {
  std::vector<term> items;
  items.reserve(2 * entries.size());
  for (const auto& [key, value] : entries) {
    items.push_back(key);
    items.push_back(value);
  }
  return items;
}

node_ref make_map(std::span<term> items, std::vector<std::uint32_t> order) {
  auto* node = items.empty() ? nullptr : term_node::make(items);
  if (node)
    node->order = std::move(order);
  return node_ref{node};
}

} // namespace

tuple::tuple(std::vector<term> elements) : node_{make_node(elements)} {}

tuple tuple::from_moved(std::span<term> elements) {
  tuple result;
  result.node_ = make_node(elements);
  return result;
}

list::list(std::vector<term> elements) : node_{make_node(elements)} {}

list list::from_moved(std::span<term> items, bool improper) {
  list result;
  if (auto* node = items.empty() ? nullptr : term_node::make(items)) {
    node->improper = improper;
    result.node_ = node_ref{node};
  }
  return result;
}

term list::with_tail(std::vector<term> elements, term tail) {
  if (elements.empty())
    return tail;
  const auto* rest = tail.get_if<list>();
  const auto improper = !rest || !rest->is_proper();
  if (!rest)
    elements.push_back(std::move(tail));
  else if (!rest->empty())
    elements.insert(elements.end(), rest->node()->items().begin(), rest->node()->items().end());
  return from_moved(elements, improper);
}

const term& list::tail() const noexcept {
  static const term nil;
  return is_proper() ? nil : node_.get()->items().back();
}

map::map(std::vector<term> items) {
  if (items.size() % 2 != 0)
    throw std::invalid_argument("a map's last key has no value");
  if (ascends(items)) {
    node_ = make_map(items, {});
    return;
  }
  auto order = sort_keys(items);
  if (has_duplicate(items, order)) {
    items = without_duplicates(std::move(items), order);
    order = sort_keys(items);
  }
  node_ = make_map(items, std::move(order));
}

map::map(const std::vector<std::pair<term, term>>& entries) : map{flatten(entries)} {}

bool map::from_unique(std::span<term> items, map& result) {
  std::vector<std::uint32_t> order;
  if (!ascends(items)) {
    order = sort_keys(items);
    if (has_duplicate(items, order))
      return false;
  }
  result.node_ = make_map(items, std::move(order));
  return true;
}

std::size_t map::size() const noexcept {
  return node_.get() ? node_.get()->count / 2 : 0;
}

map::entry map::operator[](std::size_t index) const noexcept {
  const auto items = node_.get()->items();
  return {items[2 * index], items[2 * index + 1]};
}

map::entry map::sorted(std::size_t index) const noexcept {
  const auto& order = node_.get()->order;
  return (*this)[order.empty() ? index : order[index]];
}

map::iterator map::begin() const noexcept {
  return iterator{node_.get() ? node_.get()->items().data() : nullptr};
}

map::iterator map::end() const noexcept {
  return iterator{node_.get() ? node_.get()->items().data() + node_.get()->count : nullptr};
}

const term* map::find(const term& key) const noexcept {
  std::size_t low = 0;
  for (auto high = size(); low < high;) {
    const auto middle = low + (high - low) / 2;
    const auto [candidate, value] = sorted(middle);
    const auto sign = key <=> candidate;
    if (sign == 0)
      return &value;
    if (sign < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return nullptr;
}

map map::with(term key, term value) const {
  std::vector<term> items;
  if (node_.get())
    items.assign(node_.get()->items().begin(), node_.get()->items().end());
  items.push_back(std::move(key));
  items.push_back(std::move(value));
  return map{std::move(items)};
}

} // namespace penning::actors
