#pragma once

// How a message and its fields are called in Erlang's notation for types, from its declaration:
// what docs/vocabulary.md is made of, and what a program may print of its own vocabulary.

#include <penning/bridge/message_term.hpp>

#include <concepts>
#include <limits>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

namespace penning::bridge {

/// The type of the terms that `field_term<T>` writes, in Erlang's notation. A specialisation of
/// `field_term` for a type of one's own has one of this beside it: `static std::string name()`.
template <class T>
struct erlang_type;

template <>
struct erlang_type<term> {
  static std::string name() { return "term()"; }
};
template <>
struct erlang_type<actors::atom> {
  static std::string name() { return "atom()"; }
};
template <>
struct erlang_type<bool> {
  static std::string name() { return "boolean()"; }
};
template <std::floating_point T>
struct erlang_type<T> {
  static std::string name() { return "float()"; }
};
/// What the type cannot hold is refused when it is read; the widest are not told apart.
template <actors::whole_number T>
struct erlang_type<T> {
  static std::string name() {
    using range = std::numeric_limits<T>;
    if constexpr (sizeof(T) < 4)
      return std::to_string(range::min()) + ".." + std::to_string(range::max());
    else
      return std::is_signed_v<T> ? "integer()" : "non_neg_integer()";
  }
};
template <class T>
requires(std::same_as<T, std::string> || std::same_as<T, actors::binary>) struct erlang_type<T> {
  static std::string name() { return "binary()"; }
};
/// Any `iodata()` is read as well.
template <>
struct erlang_type<std::vector<char>> {
  static std::string name() { return "binary()"; }
};
template <class T>
struct erlang_type<std::vector<T>> {
  static std::string name() { return "[" + erlang_type<T>::name() + "]"; }
};
template <class T>
requires(std::same_as<T, caf::actor> || std::same_as<T, caf::actor_addr>) struct erlang_type<T> {
  static std::string name() { return "pid()"; }
};
template <>
struct erlang_type<io::exit_status> {
  static std::string name() { return "{status, 0..255} | {signal, non_neg_integer(), boolean()}"; }
};
template <>
struct erlang_type<io::resource_usage> {
  static std::string name() {
    return "#{user := integer(), system := integer(), max_rss := integer(), "
           "oom_killed := boolean()}";
  }
};
template <>
struct erlang_type<actors::line> {
  static std::string name() { return "{eol | noeol, binary()}"; }
};

/// A field of a message: its name in C++ and the type of its term.
struct field_form {
  std::string name;
  std::string type;
};

/// How a message looks in Erlang, from its declaration.
struct message_form {
  std::string tag; ///< The atom, quoted where Erlang quotes it.
  std::vector<field_form> fields;

  /// The type of what `to_term` gives: `{command, Bytes :: binary()}`, or `close`.
  std::string as_term() const;
  /// The type of what `to_map` gives: `#{state := term(), ...}`.
  std::string as_map() const;
};

/// The form of the message `T`.
template <actors::message T>
message_form form_of() {
  T probe{};
  message_form form{to_string(term{actors::atom{T::tag}}), {}};
  std::apply(
    [&](auto... each) {
      (form.fields.push_back(
         {std::string{each.name}, erlang_type<typename decltype(each)::type>::name()}),
       ...);
    },
    probe.fields());
  return form;
}

} // namespace penning::bridge
