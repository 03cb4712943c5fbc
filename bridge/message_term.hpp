#pragma once

// A message as the Erlang term that its declaration says: `{Tag, Field...}`, or the bare atom
// `Tag`.

#include <penning/actors/messages.hpp>
#include <penning/actors/process.hpp>
#include <penning/actors/term.hpp>
#include <penning/bridge/beam.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace penning::bridge {

/// How one C++ type of a field is written and read. By default as `term` itself converts it;
/// a specialisation for a type of one's own makes it usable in messages. One whose functions take a
/// `beam*` as well is told which one the term goes to, or came from; null for none.
template <class T>
struct field_term {
  static term write(T& value) { return term{std::move(value)}; }
  static std::optional<T> read(const term& value) { return value.as<T>(); }
};

/// Bytes are a binary, and are read from any iodata.
template <>
struct field_term<std::vector<char>> {
  static term write(std::vector<char>& value) { return actors::binary{std::move(value)}; }
  static std::optional<std::vector<char>> read(const term& value) {
    auto bytes = actors::iodata_to_bytes(value);
    if (!bytes)
      return std::nullopt;
    return std::vector<char>(bytes->begin(), bytes->end());
  }
};

/// `{status, N}` or `{signal, N, CoreDumped}`.
template <>
struct field_term<io::exit_status> {
  static term write(const io::exit_status& value);
  static std::optional<io::exit_status> read(const term& value);
};

/// A map of `user` and `system` (microseconds) and `max_rss` (KiB).
template <>
struct field_term<io::resource_usage> {
  static term write(const io::resource_usage& value);
  static std::optional<io::resource_usage> read(const term& value);
};

/// `{eol, Bytes}`, or `{noeol, Bytes}` for a piece.
template <>
struct field_term<actors::line> {
  static term write(actors::line& value);
  static std::optional<actors::line> read(const term& value);
};

/// A process of the BEAM, or an actor that the BEAM knows.
template <>
struct field_term<caf::actor> {
  static term write(const caf::actor& value, beam* home);
  static std::optional<caf::actor> read(const term& value, beam* home);
};

namespace detail {

template <class Field>
term write_field(Field field, beam* home) {
  using written = field_term<typename Field::type>;
  if constexpr (requires { written::write(field.value, home); })
    return written::write(field.value, home);
  else
    return written::write(field.value);
}

template <class Field>
bool read_field(Field field, const term& value, beam* home) {
  using written = field_term<typename Field::type>;
  const auto read = [&] {
    if constexpr (requires { written::read(value, home); })
      return written::read(value, home);
    else
      return written::read(value);
  };
  auto result = read();
  if (result)
    field.value = std::move(*result);
  return result.has_value();
}

} // namespace detail

/// The term of a message, whose fields are moved out of it.
template <class T>
requires actors::message<std::remove_cvref_t<T>> term to_term(T&& value, beam* home = nullptr) {
  return std::apply(
    [home](auto... each) -> term {
      actors::atom tag{std::remove_cvref_t<T>::tag};
      if constexpr (sizeof...(each) == 0)
        return tag;
      else
        return actors::tuple_of(tag, detail::write_field(each, home)...);
    },
    value.fields());
}

/// The map of a message's fields, which are moved out of it, by their names.
template <actors::message T>
term to_map(T& value, beam* home = nullptr) {
  return std::apply(
    [home](auto... each) -> term {
      return actors::map_of({{actors::atom{each.name}, detail::write_field(each, home)}...});
    },
    value.fields());
}

/// The message that a term is; nothing if the tag, the number of fields or a field's kind differs.
template <actors::message T>
std::optional<T> from_term(const term& value, beam* home = nullptr) {
  T result{};
  auto fields = result.fields();
  constexpr std::size_t arity = std::tuple_size_v<decltype(fields)>;
  if constexpr (arity == 0) {
    if (!value.is_atom(T::tag))
      return std::nullopt;
  } else {
    if (!value.is_tuple(T::tag, arity + 1))
      return std::nullopt;
    const auto& elements = *value.get_if<actors::tuple>();
    const bool all = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return (detail::read_field(std::get<I>(fields), elements[I + 1], home) && ...);
    }
    (std::make_index_sequence<arity>{});
    if (!all)
      return std::nullopt;
  }
  return result;
}

} // namespace penning::bridge
