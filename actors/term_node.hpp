#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace penning::actors {

class term;

namespace detail {

/// The shared, immutable inside of a tuple, a list or a map. Its items follow it in one allocation.
struct term_node {
  /// Moves `items`, at least one, into a new node, which is born with one reference.
  static term_node* make(std::span<term> items);
  static void destroy(term_node* node) noexcept;

  std::span<const term> items() const noexcept; ///< A map's keys and values take turns.

  std::atomic<std::uint32_t> references{1};
  bool improper = false; ///< A list whose last item is its tail.
  std::size_t count = 0;
  term_node* next_doomed = nullptr; ///< Used while it waits to be destroyed.
  /// A map's entries in key order, by position; empty if they stand in key order already.
  std::vector<std::uint32_t> order;
};

/// Counts one reference to a node. Thread safety: as `std::shared_ptr`.
class node_ref {
 public:
  node_ref() noexcept = default;
  /// Takes over the reference that a new node is born with.
  explicit node_ref(term_node* node) noexcept : node_{node} {}
  node_ref(const node_ref& other) noexcept : node_{other.node_} {
    if (node_)
      node_->references.fetch_add(1, std::memory_order_relaxed);
  }
  node_ref(node_ref&& other) noexcept : node_{std::exchange(other.node_, nullptr)} {}
  node_ref& operator=(node_ref other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~node_ref() {
    if (node_ && node_->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
      dispose(node_);
  }

  const term_node* get() const noexcept { return node_; }

 private:
  static void dispose(term_node* node) noexcept;

  term_node* node_ = nullptr;
};

} // namespace detail
} // namespace penning::actors
