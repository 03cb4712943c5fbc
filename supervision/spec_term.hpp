#pragma once

// Flags and specifications as terms, where anything may be missing or wrong.

#include <penning/supervision/child_spec.hpp>

#include <functional>
#include <optional>
#include <vector>

namespace penning::supervision {

/// Finds the start function for the names in a specification; without one every such start is
/// `{invalid_mfa, {M, F, A}}`. What it throws refuses the specification; to refuse the start
/// instead, return a function that throws.
using start_resolver = std::function<start_function(const mfa&)>;

/// Reads a map with OTP's keys, or a tuple of the old form.
/// Throws `spec_error` with the first error in OTP's order: `{invalid_intensity, -1}`.
sup_flags flags_from_term(const term& flags);

/// Reads a map with OTP's keys, or a tuple of the old form. Without `mode`, whether `significant`
/// goes with the supervisor's `auto_shutdown` is not looked at.
/// The keys that OTP does not have, `backoff`, `start_after` and `start_timeout`, are read last.
/// Throws `spec_error` with the first error in OTP's order: `missing_id`, `{invalid_mfa, X}`.
child_spec child_spec_from_term(const term& spec, const start_resolver& resolve,
                                std::optional<auto_shutdown> mode);

/// The same by the rules of Elixir's `DynamicSupervisor`, whose errors and their order differ: a
/// map without `id` or with a `start` that is no triple is `{invalid_child_spec, Map}`, a
/// `shutdown` of 0 is refused, and so is a significant child, as from Elixir 1.15 on.
/// Throws `spec_error`. Source: `validate_child/1` in dynamic_supervisor.ex.
child_spec elixir_child_spec_from_term(const term& spec, const start_resolver& resolve);

/// Reads a list of specifications from left to right.
/// Throws `spec_error`, with `{duplicate_child_name, Id}` for an id that occurs twice and
/// `{badarg, X}` for what is no list.
std::vector<child_spec> child_specs_from_term(const term& specs, const start_resolver& resolve,
                                              std::optional<auto_shutdown> mode);

/// Reads `{Flags, Specs}`, what a supervisor's `init` returns.
/// Throws `spec_error` with what `start_link` tells: `{supervisor_data, E}`, `{start_spec, E}` or
/// `{bad_start_spec, Specs}`.
supervisor_spec supervisor_spec_from_term(const term& flags, const term& specs,
                                          const start_resolver& resolve);

/// `ok` or `{error, E}`. Without `mode` as above. Source: `supervisor:check_childspecs/1`.
term check_childspecs(const term& specs);
/// The same, `{error, {badarg, Mode}}` if `mode` is no `auto_shutdown`.
term check_childspecs(const term& specs, const term& mode);

/// A map with all of OTP's seven keys, as `get_childspec` gives it, and with others that are set.
term to_term(const child_spec& spec);
/// The specification's `modules`, or what stands for them.
term modules_of(const child_spec& spec);
term to_term(const mfa& names);
term to_term(const shutdown_policy& policy);

} // namespace penning::supervision
