#pragma once

#include <penning/actors/caf.hpp>

#include <concepts>
#include <tuple>

namespace penning::actors {

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
auto inspect(Inspector& f, T& x) {
  return std::apply([&](auto... each) { return inspect_object(f, x, T::tag, each...); },
                    x.fields());
}

} // namespace penning::actors
