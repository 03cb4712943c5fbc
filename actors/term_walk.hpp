#pragma once

#include <penning/actors/term.hpp>

namespace penning::actors::detail {

/// The node of a non-empty tuple, list or map; a null pointer for every other term.
inline const term_node* node_of(const term& t) noexcept {
  if (const auto* x = t.get_if<tuple>())
    return x->node();
  if (const auto* x = t.get_if<list>())
    return x->node();
  const auto* x = t.get_if<map>();
  return x ? x->node() : nullptr;
}

/// The item at `index` of a node in the order that does not depend on how a map came about: all
/// keys in key order, then their values in that order.
inline const term& canonical_item(const term_node& node, std::size_t index, bool is_map) noexcept {
  if (!is_map)
    return node.items()[index];
  const auto entries = node.count / 2;
  const auto entry = index % entries;
  const auto position = node.order.empty() ? entry : node.order[entry];
  return node.items()[2 * position + index / entries];
}

} // namespace penning::actors::detail
