#pragma once

#include <penning/actors/term.hpp>

#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace penning::actors {

namespace detail {

template <class T>
struct term_reader {
  static std::optional<T> read(const term& t) {
    const auto* value = t.get_if<T>();
    return value ? std::optional<T>{*value} : std::nullopt;
  }
};

template <>
struct term_reader<term> {
  static std::optional<term> read(const term& t) { return t; }
};

template <>
struct term_reader<bool> {
  static std::optional<bool> read(const term& t) {
    if (t.is_atom("true"))
      return true;
    return t.is_atom("false") ? std::optional{false} : std::nullopt;
  }
};

template <whole_number T>
struct term_reader<T> {
  static std::optional<T> read(const term& t) {
    if (const auto* small = t.get_if<std::int64_t>())
      return std::in_range<T>(*small) ? std::optional{static_cast<T>(*small)} : std::nullopt;
    const auto* big = t.get_if<big_integer>();
    const auto word = big ? big->as_uint64() : std::nullopt;
    return word && std::in_range<T>(*word) ? std::optional{static_cast<T>(*word)} : std::nullopt;
  }
};

template <class T>
requires(
  std::same_as<
    T,
    std::string> || std::same_as<T, std::string_view> || std::same_as<T, std::vector<char>>) struct
  term_reader<T> {
  static std::optional<T> read(const term& t) {
    const auto* bytes = t.get_if<binary>();
    if (!bytes)
      return std::nullopt;
    return T(bytes->view().begin(), bytes->view().end());
  }
};

template <class T>
struct term_reader<std::vector<T>> {
  static std::optional<std::vector<T>> read(const term& t) {
    const auto* elements = t.get_if<list>();
    if (!elements || !elements->is_proper())
      return std::nullopt;
    std::vector<T> result;
    result.reserve(elements->size());
    for (const auto& element : *elements) {
      auto value = term_reader<T>::read(element);
      if (!value)
        return std::nullopt;
      result.push_back(std::move(*value));
    }
    return result;
  }
};

/// A pattern knows the C++ tuple of what it binds, and how to match.
template <class T>
struct bind_pattern {
  using bound = std::tuple<T>;
  std::optional<bound> operator()(const term& t) const {
    auto value = term_reader<T>::read(t);
    return value ? std::optional<bound>{std::move(*value)} : std::nullopt;
  }
};

struct any_pattern {
  using bound = std::tuple<>;
  std::optional<bound> operator()(const term&) const { return bound{}; }
};

struct value_pattern {
  using bound = std::tuple<>;
  term expected;
  std::optional<bound> operator()(const term& t) const {
    return t == expected ? std::optional{bound{}} : std::nullopt;
  }
};

template <class T>
concept pattern = requires(const std::remove_cvref_t<T>& p, const term& t) {
  typename std::remove_cvref_t<T>::bound;
  p(t);
};

template <class... Patterns>
struct tuple_pattern {
  using bound = decltype(std::tuple_cat(std::declval<typename Patterns::bound>()...));
  std::tuple<Patterns...> patterns;

  std::optional<bound> operator()(const term& t) const {
    const auto* elements = t.get_if<tuple>();
    if (!elements || elements->size() != sizeof...(Patterns))
      return std::nullopt;
    return match_all(*elements, std::index_sequence_for<Patterns...>{});
  }

 private:
  template <std::size_t... I>
  std::optional<bound> match_all([[maybe_unused]] const tuple& elements,
                                 std::index_sequence<I...>) const {
    std::tuple<std::optional<typename Patterns::bound>...> parts;
    const auto one = [&](auto& part, const auto& p, const term& t) {
      part = p(t);
      return part.has_value();
    };
    if (!(one(std::get<I>(parts), std::get<I>(patterns), elements[I]) && ...))
      return std::nullopt;
    return std::tuple_cat(std::move(*std::get<I>(parts))...);
  }
};

template <class T>
auto as_pattern(T&& value) {
  if constexpr (pattern<T>)
    return std::forward<T>(value);
  else
    return value_pattern{term{std::forward<T>(value)}};
}

} // namespace detail

template <class T>
auto term::as() const {
  return detail::term_reader<T>::read(*this);
}

/// In a pattern: takes whatever `term::as<T>()` reads and hands it out.
template <class T>
inline constexpr detail::bind_pattern<T> bind{};

/// In a pattern: any term, not handed out.
inline constexpr detail::any_pattern any{};

/// In a pattern: a tuple within the tuple; anything that is no pattern is a value to be equal to.
template <class... Patterns>
auto tup(Patterns&&... patterns) {
  return detail::tuple_pattern<decltype(detail::as_pattern(std::forward<Patterns>(patterns)))...>{
    {detail::as_pattern(std::forward<Patterns>(patterns))...}};
}

/// Matches a tuple element by element; gives what the patterns bind, in order.
///
///     if (auto m = match(t, "EXIT"_a, bind<pid>, bind<term>)) {
///       const auto& [from, reason] = *m;
///
/// Returns nothing if `t` is not such a tuple. A value to match with is compared by `==`.
template <class... Patterns>
auto match(const term& t, Patterns&&... patterns) {
  return tup(std::forward<Patterns>(patterns)...)(t);
}

/// What `key` stands for among options: in a map, or in a list of `{Key, Value}` pairs, where the
/// first pair counts and a bare atom means `{Atom, true}`, as in OTP's `proplists`.
/// Returns a null pointer if there is none, or `options` is neither.
const term* lookup(const term& options, const term& key) noexcept;
/// A key given as text is an atom's name, as nearly all options are: `lookup(options, "cd")`.
template <std::convertible_to<std::string_view> Name>
const term* lookup(const term& options, const Name& name) {
  return lookup(options, term{atom{std::string_view{name}}});
}

/// The option's value as `T`; nothing if it is missing or of another kind.
///
///     lookup_as<int>(options, "max_children").value_or(8)
template <class T, class Key>
auto lookup_as(const term& options, const Key& key) {
  const auto* value = lookup(options, key);
  return value ? value->template as<T>() : decltype(value->template as<T>()){};
}

/// The bytes of iodata: a binary, or a list (of any depth) of bytes, binaries and iodata whose
/// tail may be a binary. Nothing if it is anything else.
/// Complexity: O(bytes + elements); nothing is copied but the bytes.
std::optional<std::string> iodata_to_bytes(const term& iodata);

/// Whether it is a proper list of Unicode characters; the empty list is.
bool is_charlist(const term& t) noexcept;

/// The UTF-8 of a charlist or a binary, nothing for other terms. A binary's bytes are returned as
/// they are.
std::optional<std::string> text_of(const term& t);

} // namespace penning::actors
