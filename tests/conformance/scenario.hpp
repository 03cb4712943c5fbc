#pragma once

#include "world.hpp"

#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

namespace penning::conformance {

/// A scenario has something that the replayer does not know.
struct not_understood : std::runtime_error {
  using runtime_error::runtime_error;
};

/// Throws `not_understood` unless all keys of the object are among `known`.
void check_keys(const json& object, std::initializer_list<std::string_view> known,
                std::string_view what);

/// A value of the recordings as a term: text is Erlang's, other values are what they are.
term to_term(const json& value);

/// SUPFLAGS.
term flags_term(const json& flags);

/// Where specifications are put.
struct spec_context {
  bool is_template = false; ///< They are of a `simple_one_for_one`.
  bool is_elixir = false;   ///< They are of a `DynamicSupervisor`.
  bool sets_plans = true;
};

/// Whether these are flags of a `simple_one_for_one`.
bool is_simple(const term& flags);

/// CHILD as a specification; puts its script into the world.
term spec_term(const json& child, world& where, const spec_context& context);
/// A list of them.
term specs_term(const json& children, world& where, const spec_context& context);

std::vector<std::string> plan_of(const json& outcomes);

} // namespace penning::conformance
