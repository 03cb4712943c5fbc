#pragma once

#include <penning/actors/term_node.hpp>

#include <concepts>
#include <cstddef>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace penning::actors {

/// A tuple. Immutable; a copy shares the elements and costs O(1), as with lists and maps.
class tuple {
 public:
  tuple() noexcept = default; ///< `{}`
  explicit tuple(std::vector<term> elements);
  /// Moves the elements out of a buffer that others reuse.
  static tuple from_moved(std::span<term> elements);

  std::size_t size() const noexcept { return elements().size(); }
  bool empty() const noexcept { return node_.get() == nullptr; }
  std::span<const term> elements() const noexcept;
  /// Precondition: `index < size()`; the first has index 0.
  const term& operator[](std::size_t index) const noexcept;
  const term* begin() const noexcept;
  const term* end() const noexcept;

  const detail::term_node* node() const noexcept { return node_.get(); }

 private:
  detail::node_ref node_;
};

/// A list, proper or improper. The empty one is Erlang's nil, `[]`.
class list {
 public:
  list() noexcept = default;
  explicit list(std::vector<term> elements);
  /// Moves the items out of a buffer that others reuse. The last one of an improper list is its
  /// tail; precondition: it is no list and not the only item.
  static list from_moved(std::span<term> items, bool improper = false);
  /// `[Elements... | Tail]`. A tail that is a list continues it; without elements the result is
  /// the tail itself, whatever it is.
  static term with_tail(std::vector<term> elements, term tail);

  std::size_t size() const noexcept { return elements().size(); } ///< Without an improper tail.
  bool empty() const noexcept { return node_.get() == nullptr; }
  bool is_proper() const noexcept { return !node_.get() || !node_.get()->improper; }
  std::span<const term> elements() const noexcept;
  /// What follows the last element: `[]` in a proper list.
  const term& tail() const noexcept;
  const term& operator[](std::size_t index) const noexcept;
  const term* begin() const noexcept;
  const term* end() const noexcept;

  const detail::term_node* node() const noexcept { return node_.get(); }

 private:
  detail::node_ref node_;
};

/// A map. Keeps the order in which its entries came, so that it encodes to the bytes that it was
/// decoded from, and finds a key in O(log n) comparisons.
class map {
 public:
  using entry = std::pair<const term&, const term&>;
  class iterator;

  map() noexcept = default; ///< `#{}`
  /// Keys and values take turns. Of equal keys the last one wins, as in a map expression.
  /// Complexity: O(n log n) key comparisons, O(n) when the keys come in order.
  /// Errors: `std::invalid_argument` for a key without a value.
  explicit map(std::vector<term> keys_and_values);
  explicit map(const std::vector<std::pair<term, term>>& entries);
  /// Moves keys and values out of a buffer that others reuse. Returns false if two keys are equal,
  /// as a decoder must; they stay where they were then.
  static bool from_unique(std::span<term> keys_and_values, map& result);

  std::size_t size() const noexcept;
  bool empty() const noexcept { return node_.get() == nullptr; }
  /// The value, or a null pointer. The key must be exactly equal: 1 does not find 1.0.
  const term* find(const term& key) const noexcept;
  /// Say which is meant: `find("cd"_a)` for an atom, `find(term{"cd"})` for a binary.
  template <std::convertible_to<std::string_view> Text>
  const term* find(const Text& key) const = delete;
  bool contains(const term& key) const noexcept { return find(key) != nullptr; }
  /// This map with one entry put or replaced.
  map with(term key, term value) const;

  /// In the order in which they came. Precondition: `index < size()`.
  entry operator[](std::size_t index) const noexcept;
  /// In key order. Precondition: `index < size()`.
  entry sorted(std::size_t index) const noexcept;
  iterator begin() const noexcept;
  iterator end() const noexcept;

  const detail::term_node* node() const noexcept { return node_.get(); }

 private:
  detail::node_ref node_;
};

/// Goes through a map's entries in the order in which they came.
class map::iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = entry;
  using difference_type = std::ptrdiff_t;
  using pointer = void;
  using reference = entry;

  iterator() noexcept = default;
  explicit iterator(const term* key) noexcept : key_{key} {}

  entry operator*() const noexcept;
  iterator& operator++() noexcept;
  iterator operator++(int) noexcept;
  friend bool operator==(iterator, iterator) noexcept = default;

 private:
  const term* key_ = nullptr;
};

} // namespace penning::actors
