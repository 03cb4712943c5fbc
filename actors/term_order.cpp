#include <penning/actors/term_number.hpp>
#include <penning/actors/term_walk.hpp>

#include <algorithm>
#include <bit>

namespace penning::actors {
namespace {

using detail::canonical_item;
using detail::term_node;
using order = std::weak_ordering;

/// Terms of different rank compare by rank. Numbers share one unless 1 and 1.0 must differ.
int rank(const term& t, bool exact) {
  const auto type = t.type();
  return type == term_type::floating && !exact ? 0 : static_cast<int>(type);
}

/// Source: `erts_cmp_bits` in OTP's erl_bits.c.
order compare_bits(std::string_view a, unsigned a_last, std::string_view b, unsigned b_last) {
  const auto whole = [](std::string_view s, unsigned last) { return s.size() - (last != 8); };
  const auto shared = std::min(whole(a, a_last), whole(b, b_last));
  if (const auto bytes = a.substr(0, shared) <=> b.substr(0, shared); bytes != 0)
    return bytes;
  a.remove_prefix(shared);
  b.remove_prefix(shared);
  const auto bits = [](std::string_view s, unsigned last) {
    return s.empty() ? 0 : (s.size() - 1) * 8 + last;
  };
  const auto a_bits = bits(a, a_last);
  const auto b_bits = bits(b, b_last);
  if (const auto common = std::min<std::size_t>({a_bits, b_bits, 8}); common != 0) {
    const auto head = [&](std::string_view s) {
      return static_cast<unsigned char>(s[0]) >> (8 - common);
    };
    if (head(a) != head(b))
      return head(a) <=> head(b);
  }
  return a_bits <=> b_bits;
}

order compare_bitstrings(const term& a, const term& b) {
  const auto last = [](const term& t) {
    const auto* bits = t.get_if<bitstring>();
    return bits ? bits->last_bits() : 8;
  };
  const auto view = [](const term& t) {
    const auto* bits = t.get_if<bitstring>();
    return bits ? bits->view() : t.get_if<binary>()->view();
  };
  return compare_bits(view(a), last(a), view(b), last(b));
}

order compare_integers(const term& a, const term& b) {
  const auto* x = a.get_if<std::int64_t>();
  const auto* y = b.get_if<std::int64_t>();
  if (x && y)
    return *x <=> *y;
  if (x)
    return b.get_if<big_integer>()->negative() ? order::greater : order::less;
  if (y)
    return a.get_if<big_integer>()->negative() ? order::less : order::greater;
  return *a.get_if<big_integer>() <=> *b.get_if<big_integer>();
}

order compare_floats(double a, double b) {
  return a < b ? order::less : a > b ? order::greater : order::equivalent;
}

order integer_with_float(const term& a, double b) {
  const auto* small = a.get_if<std::int64_t>();
  return small ? detail::compare_numbers(*small, b)
               : detail::compare_numbers(*a.get_if<big_integer>(), b);
}

order compare_numbers(const term& a, const term& b) {
  const auto* x = a.get_if<double>();
  const auto* y = b.get_if<double>();
  if (x && y)
    return compare_floats(*x, *y);
  if (x)
    return 0 <=> integer_with_float(b, *x);
  return y ? integer_with_float(a, *y) : compare_integers(a, b);
}

/// Source: `pid_common` in `erts_cmp_compound` (utils.c): serial, number, then node.
order compare_pids(const pid& a, const pid& b) {
  return std::tie(a.serial, a.id, a.node, a.creation)
         <=> std::tie(b.serial, b.id, b.node, b.creation);
}

/// Source: `port_common` there: the node first.
order compare_ports(const port& a, const port& b) {
  return std::tie(a.node, a.creation, a.id) <=> std::tie(b.node, b.creation, b.id);
}

/// Source: `ref_common` there. Words are compared from the most significant, the last; one that is
/// missing counts as zero.
order compare_references(const reference& a, const reference& b) {
  const auto nodes = std::tie(a.node, a.creation) <=> std::tie(b.node, b.creation);
  if (nodes != 0)
    return nodes;
  const auto word = [](const reference& r, std::size_t i) {
    return i < r.ids.size() ? r.ids[i] : 0U;
  };
  for (auto i = std::max(a.ids.size(), b.ids.size()); i-- > 0;)
    if (const auto words = word(a, i) <=> word(b, i); words != 0)
      return words;
  return order::equivalent;
}

order compare_exports(const external_fun& a, const external_fun& b) {
  return std::tie(a.module, a.function, a.arity) <=> std::tie(b.module, b.function, b.arity);
}

/// All of a fun but its free variables. The key of OTP's fun entries: neither the creator nor the
/// module's MD5 tells two funs apart.
order compare_fun_entries(const fun& a, const fun& b) {
  const auto x = a.free_variables.size();
  const auto y = b.free_variables.size();
  return std::tie(a.module, a.index, a.old_uniq, x) <=> std::tie(b.module, b.index, b.old_uniq, y);
}

/// Two containers of one kind that are compared item by item.
struct pair_of_nodes {
  const term_node* a;
  const term_node* b;
  term_type type;
  bool exact;
  std::size_t next = 0;
};

class comparison {
 public:
  order run(const term& a, const term& b, bool exact) {
    auto result = step(a, b, exact);
    while (result == 0 && !pending_.empty())
      result = advance();
    return result;
  }

 private:
  /// Compares what needs no descent; containers are left in `pending_`.
  order step(const term& a, const term& b, bool exact) {
    if (const auto ranks = rank(a, exact) <=> rank(b, exact); ranks != 0)
      return ranks;
    switch (a.type()) {
    case term_type::integer:
    case term_type::floating: return compare_numbers(a, b);
    case term_type::atom: return *a.get_if<atom>() <=> *b.get_if<atom>();
    case term_type::reference:
      return compare_references(*a.get_if<reference>(), *b.get_if<reference>());
    case term_type::fun: return step_into_fun(a, b, exact);
    case term_type::port: return compare_ports(*a.get_if<port>(), *b.get_if<port>());
    case term_type::pid: return compare_pids(*a.get_if<pid>(), *b.get_if<pid>());
    case term_type::bitstring: return compare_bitstrings(a, b);
    case term_type::nil: return order::equivalent;
    case term_type::list:
      descend(a.get_if<list>()->node(), b.get_if<list>()->node(), a.type(), exact);
      return order::equivalent;
    case term_type::tuple:
      return step_into(a.get_if<tuple>()->node(), b.get_if<tuple>()->node(), a.type(), exact);
    case term_type::map:
      return step_into(a.get_if<map>()->node(), b.get_if<map>()->node(), a.type(), exact);
    }
    return order::equivalent;
  }

  /// Tuples and maps compare by size first.
  order step_into(const term_node* a, const term_node* b, term_type type, bool exact) {
    const auto size = [](const term_node* node) { return node ? node->count : 0; };
    if (const auto sizes = size(a) <=> size(b); sizes != 0)
      return sizes;
    descend(a, b, type, exact);
    return order::equivalent;
  }

  order step_into_fun(const term& a, const term& b, bool exact) {
    const auto* x = a.get_if<fun>();
    const auto* y = b.get_if<fun>();
    if (!x || !y) // a closure is smaller than an external fun
      return x   ? order::less
             : y ? order::greater
                 : compare_exports(*a.get_if<external_fun>(), *b.get_if<external_fun>());
    if (const auto entries = compare_fun_entries(*x, *y); entries != 0)
      return entries;
    return step_into(x->free_variables.node(), y->free_variables.node(), term_type::tuple, exact);
  }

  void descend(const term_node* a, const term_node* b, term_type type, bool exact) {
    if (a != b) // shared is equal
      pending_.push_back({a, b, type, exact});
  }

  order advance() {
    auto& top = pending_.back();
    const auto is_map = top.type == term_type::map;
    const auto a_size = elements(*top.a);
    const auto b_size = elements(*top.b);
    const auto i = top.next++;
    if (i >= a_size || i >= b_size)
      return finish();
    // Keys of maps are told apart exactly whatever the comparison: 1 and 1.0 are two keys.
    const auto exact = top.exact || (is_map && i < a_size / 2);
    return step(canonical_item(*top.a, i, is_map), canonical_item(*top.b, i, is_map), exact);
  }

  static std::size_t elements(const term_node& node) {
    return node.count - (node.improper ? 1 : 0);
  }

  /// After the last pair of elements: in lists the tails decide.
  order finish() {
    const auto top = pending_.back();
    pending_.pop_back();
    if (top.type != term_type::list)
      return order::equivalent;
    const auto a_left = elements(*top.a) >= top.next;
    const auto b_left = elements(*top.b) >= top.next;
    static const term nil;
    const auto tail = [](const term_node& n) -> const term& {
      return n.improper ? n.items().back() : nil;
    };
    if (!a_left && !b_left)
      return step(tail(*top.a), tail(*top.b), top.exact);
    constexpr auto list_rank = static_cast<int>(term_type::list);
    return a_left ? list_rank <=> rank(tail(*top.b), top.exact)
                  : rank(tail(*top.a), top.exact) <=> list_rank;
  }

  std::vector<pair_of_nodes> pending_;
};

/// What most keys and tags are, without the machinery.
bool quickly_different(const term& a, const term& b) {
  const auto* x = a.get_if<atom>();
  const auto* y = b.get_if<atom>();
  return x && y ? *x != *y : a.type() != b.type();
}

} // namespace

bool operator==(const term& a, const term& b) noexcept {
  return !quickly_different(a, b) && comparison{}.run(a, b, true) == 0;
}

std::strong_ordering operator<=>(const term& a, const term& b) noexcept {
  if (const auto* x = a.get_if<atom>(), *y = b.get_if<atom>(); x && y) // as most keys of maps are
    return *x <=> *y;
  const auto result = comparison{}.run(a, b, true);
  return result < 0   ? std::strong_ordering::less
         : result > 0 ? std::strong_ordering::greater
                      : std::strong_ordering::equal;
}

std::weak_ordering term_order(const term& a, const term& b) noexcept {
  return comparison{}.run(a, b, false);
}

} // namespace penning::actors
