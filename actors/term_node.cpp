#include <penning/actors/term.hpp>

#include <memory>
#include <new>

namespace penning::actors::detail {
namespace {

/// A peer chooses how deep a term nests, so destroying one must not follow it on the stack: nodes
/// met below `most_nested` wait in a list for the outermost call. Trivially destructible, so terms
/// in other thread-local variables may end in any order.
struct disposal {
  static constexpr unsigned most_nested = 64;

  unsigned nested = 0;
  term_node* doomed = nullptr;
};

constinit thread_local disposal current;

} // namespace

static_assert(sizeof(term_node) % alignof(term) == 0 && alignof(term_node) >= alignof(term));

term_node* term_node::make(std::span<term> items) {
  auto* memory = ::operator new(sizeof(term_node) + items.size() * sizeof(term));
  auto* node = new (memory) term_node;
  node->count = items.size();
  std::uninitialized_move(items.begin(), items.end(), reinterpret_cast<term*>(node + 1));
  return node;
}

void term_node::destroy(term_node* node) noexcept {
  ++current.nested;
  std::destroy_n(reinterpret_cast<term*>(node + 1), node->count);
  node->~term_node();
  ::operator delete(node);
  --current.nested;
}

void node_ref::dispose(term_node* node) noexcept {
  if (current.nested >= disposal::most_nested) {
    node->next_doomed = std::exchange(current.doomed, node);
    return;
  }
  term_node::destroy(node);
  while (current.nested == 0 && current.doomed) {
    node = current.doomed;
    current.doomed = node->next_doomed;
    term_node::destroy(node);
  }
}

} // namespace penning::actors::detail
