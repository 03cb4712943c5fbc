#include <penning/actors/term_walk.hpp>

#include <bit>

namespace penning::actors {
namespace {

using detail::term_node;

/// Mixes values into one; the constant is that of boost::hash_combine for 64 bits.
struct hasher {
  std::uint64_t state = 0;

  void add(std::uint64_t value) {
    state ^= value + 0x9e3779b97f4a7c15U + (state << 6) + (state >> 2);
    state *= 0xff51afd7ed558ccdU;
    state ^= state >> 33;
  }
  void add(std::int64_t value) { add(static_cast<std::uint64_t>(value)); }
  void add(double value) { add(std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value)); } // no -0.0
  void add(std::string_view text) { add(std::uint64_t{std::hash<std::string_view>{}(text)}); }
  void add(const atom& a) { add(a.text()); }
  void add(const binary& b) { add(b.view()); }

  void add(const big_integer& value) {
    const auto bytes = value.magnitude();
    add(std::uint64_t{value.negative()});
    add(std::string_view{reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  void add(const bitstring& value) {
    add(std::uint64_t{value.last_bits()});
    add(value.view());
  }
  void add(const pid& value) {
    add(value.node);
    add(std::uint64_t{value.serial} << 32 | value.id);
    add(std::uint64_t{value.creation});
  }
  void add(const port& value) {
    add(value.node);
    add(value.id);
    add(std::uint64_t{value.creation});
  }
  void add(const reference& value) {
    add(value.node);
    add(std::uint64_t{value.creation});
    auto words = value.ids.size();
    while (words != 0 && value.ids[words - 1] == 0) // equal up to zero words at the end
      --words;
    for (std::size_t i = 0; i < words; ++i)
      add(std::uint64_t{value.ids[i]});
  }
  void add(const external_fun& value) {
    add(value.module);
    add(value.function);
    add(std::uint64_t{value.arity});
  }
  void add(const fun& value) { // what `==` looks at; the free variables are a node of their own
    add(value.module);
    add(std::uint64_t{value.index});
    add(std::int64_t{value.old_uniq});
  }
};

struct visit {
  const term_node* node;
  bool is_map;
  std::size_t next = 0;
};

template <class... Types>
void add_one_of(const term& t, hasher& h) {
  const auto add = [&h](const auto* value) {
    if (value)
      h.add(*value);
  };
  (add(t.get_if<Types>()), ...);
}

/// Adds all of `t` but the items of a container, whose node it returns.
const term_node* add_shallow(const term& t, hasher& h) {
  h.add(static_cast<std::uint64_t>(t.type()));
  add_one_of<std::int64_t, double, atom, binary, big_integer, bitstring, pid, port, reference,
             external_fun, fun>(t, h);
  const auto* closure = t.get_if<fun>();
  const auto* node = closure ? closure->free_variables.node() : detail::node_of(t);
  h.add(std::uint64_t{node ? node->count : 0});
  return node;
}

} // namespace

std::size_t hash_value(const term& value) noexcept {
  hasher h;
  std::vector<visit> pending;
  const auto enter = [&](const term& t) {
    if (const auto* node = add_shallow(t, h))
      pending.push_back({node, t.is<map>()});
  };
  enter(value);
  while (!pending.empty()) {
    auto& top = pending.back();
    if (top.next == top.node->count)
      pending.pop_back();
    else
      enter(detail::canonical_item(*top.node, top.next++, top.is_map));
  }
  return static_cast<std::size_t>(h.state);
}

} // namespace penning::actors
