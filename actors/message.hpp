#pragma once

#include <penning/actors/caf.hpp>

#include <concepts>
#include <string_view>
#include <tuple>

namespace penning::actors {

/// A field of a message: its name, and the member itself.
template <class T>
struct field {
  using type = T;
  std::string_view name;
  T& value;

  field(std::string_view field_name, T& member) : name{field_name}, value{member} {}
};

/// A message names its tag and its fields once; CAF's inspection, the Erlang term and
/// docs/vocabulary.md all come from here. In Erlang it is the tuple `{Tag, Field...}`, and the bare
/// atom `Tag` when it has no fields.
template <class T>
concept message = requires(T& x) {
  { T::tag } -> std::convertible_to<const char*>;
  x.fields();
};

/// CAF's inspection of every message. Found by argument-dependent lookup for the messages of
/// penning::actors; another namespace says `using penning::actors::inspect`.
template <class Inspector, message T>
auto inspect(Inspector& f, T& x) -> typename Inspector::result_type {
  return std::apply([&f](auto... each) { return f(caf::meta::type_name(T::tag), each.value...); },
                    x.fields());
}

} // namespace penning::actors
