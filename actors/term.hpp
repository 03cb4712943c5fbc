#pragma once

#include <penning/actors/term_atom.hpp>
#include <penning/actors/term_containers.hpp>
#include <penning/actors/term_ids.hpp>
#include <penning/actors/term_integer.hpp>

#include <array>
#include <compare>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace penning::actors {

/// A fun that closes over its surroundings; opaque here, but it survives a round trip.
struct fun {
  atom module;
  std::uint8_t arity = 0;
  std::array<std::uint8_t, 16> uniq{}; ///< MD5 of the module's code.
  std::uint32_t index = 0;
  std::int32_t old_index = 0;
  std::int32_t old_uniq = 0;
  pid creator;
  tuple free_variables;
};

/// Kinds of a term, in Erlang's term order.
enum class term_type : std::uint8_t {
  integer,
  floating,
  atom,
  reference,
  fun, ///< Closures and external funs.
  port,
  pid,
  tuple,
  map,
  nil,
  list,
  bitstring, ///< Binaries as well.
};

/// What becomes an integer term: not `bool` (an atom) and no character.
template <class T>
concept whole_number =
  std::integral<T> && !std::same_as<
    T,
    bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

/// The value of any Erlang term.
///
/// Immutable; copies share what is large and cost O(1), so a term may be copied between threads
/// freely. Nothing done to a term recurses into it, however deep it nests: it may come from a peer.
///
/// From C++ values: whole numbers become integers, `double` a float, `bool` the atoms `true` and
/// `false`, text (`std::string`, `std::string_view`, literals) a binary, never an atom: those are
/// written `"ok"_a`. Single characters and other pointers are refused by the compiler.
/// A float must be finite, as every Erlang float is.
class term {
 public:
  term() noexcept = default; ///< `[]`
  term(const term&) = default;
  term(term&& other) noexcept : value_{std::move(other.value_)} { other.forget(); }
  term& operator=(const term&) = default;
  term& operator=(term&& other) noexcept {
    value_ = std::move(other.value_);
    other.forget();
    return *this;
  }
  ~term() = default;

  template <whole_number T>
  term(T value) {
    if (std::in_range<std::int64_t>(value))
      value_ = static_cast<std::int64_t>(value);
    else
      *this = term{big_integer{static_cast<std::uint64_t>(value)}};
  }
  template <std::same_as<bool> T>
  term(T value) : value_{value ? atoms::true_() : atoms::false_()} {}
  template <class T>
  requires(std::same_as<T, double> || std::same_as<T, float>) term(T value)
      : value_{static_cast<double>(value)} {}
  term(char) = delete;
  term(std::nullptr_t) = delete;

  term(std::string_view text) : value_{binary{text}} {}
  term(const char* text) : term{std::string_view{text}} {}
  term(const std::string& text) : term{std::string_view{text}} {}
  term(std::string&& text) : value_{binary{std::move(text)}} {}
  template <class T>
  term(const T* pointer) = delete;

  term(atom value) noexcept : value_{std::move(value)} {}
  term(binary value) noexcept : value_{std::move(value)} {}
  term(tuple value) noexcept : value_{std::move(value)} {}
  term(list value) noexcept : value_{std::move(value)} {}
  term(map value) noexcept : value_{std::move(value)} {}
  term(big_integer value);
  term(bitstring value);
  term(pid value);
  term(port value);
  term(reference value);
  term(external_fun value);
  term(fun value);

  term_type type() const noexcept;

  /// The alternative `T`, or a null pointer: `std::int64_t`, `double`, `atom`, `binary`, `tuple`,
  /// `list`, `map`, `big_integer`, `bitstring`, `pid`, `port`, `reference`, `external_fun`, `fun`.
  template <class T>
  const T* get_if() const noexcept {
    if constexpr (std::constructible_from<rare, T>) {
      const auto box = std::get_if<rare_box>(&value_);
      return box ? std::get_if<T>(box->get()) : nullptr;
    } else {
      return std::get_if<T>(&value_);
    }
  }
  template <class T>
  bool is() const noexcept {
    return get_if<T>() != nullptr;
  }
  bool is_nil() const noexcept {
    const auto* l = get_if<list>();
    return l && l->empty();
  }
  bool is_atom(std::string_view text) const noexcept {
    const auto* a = get_if<atom>();
    return a && a->text() == text;
  }
  /// Whether it is a tuple of `arity` elements whose first is the atom `tag`, like a record.
  bool is_tuple(std::string_view tag, std::size_t arity) const noexcept;

  /// The value as a C++ type, nothing if it is of another kind or out of range. On top of the
  /// alternatives: any integer type, `bool`, `std::string`, `std::string_view` (of a binary, valid
  /// while the term is), `std::vector<char>` (bytes), `std::vector<T>` (proper list of T),
  /// `term`. An integer is not a float.
  template <class T>
  auto as() const;

  /// Erlang's `=:=`: 1 is not 1.0, 0.0 is -0.0 (as up to OTP 26), maps are unordered.
  friend bool operator==(const term& a, const term& b) noexcept;
  /// A strict total order that agrees with `==`: Erlang's term order, integers before floats,
  /// which is also the order of keys in a map.
  friend std::strong_ordering operator<=>(const term& a, const term& b) noexcept;

 private:
  using rare = std::variant<big_integer, bitstring, pid, port, reference, external_fun, fun>;
  using rare_box = std::shared_ptr<const rare>;

  template <class T>
  static rare_box box(T value) {
    return std::make_shared<const rare>(std::in_place_type<T>, std::move(value));
  }
  void forget() noexcept {
    if (std::holds_alternative<rare_box>(value_))
      value_.emplace<list>(); // a box must not be empty
  }

  std::variant<list, std::int64_t, double, atom, binary, tuple, map, rare_box> value_;
};

static_assert(sizeof(term) <= 40);
static_assert(std::is_nothrow_move_constructible_v<term>);
static_assert(std::is_nothrow_move_assignable_v<term>);

/// Erlang's `<`, `==` and `>`: numbers compare by value, so 1 and 1.0 are equivalent.
std::weak_ordering term_order(const term& a, const term& b) noexcept;

/// Agrees with `==`.
std::size_t hash_value(const term& value) noexcept;

/// The term as Erlang source, in one line, as `io_lib:format("~0tp", [Term])` prints it, but a pid,
/// port or reference of a node other than `penning` shows the node's name instead of a number:
/// `{exit_status,3}`, `#{a => <<"x">>}`, `<0.1.2>`.
std::string to_string(const term& value);

inline term_type term::type() const noexcept {
  // In the order of the variants' alternatives.
  using enum term_type;
  static constexpr term_type common[] = {list, integer, floating, atom, bitstring, tuple, map};
  static constexpr term_type rarely[] = {integer, bitstring, pid, port, reference, fun, fun};
  if (is_nil())
    return nil;
  if (const auto* box = std::get_if<rare_box>(&value_))
    return rarely[(*box)->index()];
  return common[value_.index()];
}

inline std::span<const term> detail::term_node::items() const noexcept {
  return {reinterpret_cast<const term*>(this + 1), count};
}

inline std::span<const term> tuple::elements() const noexcept {
  return node_.get() ? node_.get()->items() : std::span<const term>{};
}
inline const term& tuple::operator[](std::size_t index) const noexcept {
  return node_.get()->items()[index];
}
inline const term* tuple::begin() const noexcept {
  return elements().data();
}
inline const term* tuple::end() const noexcept {
  return elements().data() + elements().size();
}

inline std::span<const term> list::elements() const noexcept {
  if (!node_.get())
    return {};
  const auto items = node_.get()->items();
  return items.first(items.size() - (node_.get()->improper ? 1 : 0));
}
inline const term& list::operator[](std::size_t index) const noexcept {
  return node_.get()->items()[index];
}
inline const term* list::begin() const noexcept {
  return elements().data();
}
inline const term* list::end() const noexcept {
  return elements().data() + elements().size();
}

inline map::entry map::iterator::operator*() const noexcept {
  return {key_[0], key_[1]};
}
inline map::iterator& map::iterator::operator++() noexcept {
  key_ += 2;
  return *this;
}
inline map::iterator map::iterator::operator++(int) noexcept {
  const auto before = *this;
  key_ += 2;
  return before;
}

} // namespace penning::actors

template <>
struct std::hash<penning::actors::term> {
  std::size_t operator()(const penning::actors::term& value) const noexcept {
    return hash_value(value);
  }
};
template <>
struct std::hash<penning::actors::atom> {
  std::size_t operator()(const penning::actors::atom& value) const noexcept {
    return std::hash<std::string_view>{}(value.text());
  }
};

#include <penning/actors/term_build.hpp> // IWYU pragma: export
#include <penning/actors/term_match.hpp> // IWYU pragma: export
