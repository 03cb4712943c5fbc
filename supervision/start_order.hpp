#pragma once

#include <penning/supervision/child_spec.hpp>

#include <vector>

namespace penning::supervision {

/// The specifications in the order in which their children start: that of the list, but for those
/// that start after others (`start_after`), which are put off until these have. They stop in the
/// reverse order. Ids are unique.
///
/// Throws `spec_error`: `{invalid_start_after, Id}` for one that is not among them,
/// `{start_after_cycle, Ids}` for children that wait for each other, and for who waits for them.
/// Complexity: O(n log n) with the number of specifications and of their `start_after`s.
std::vector<child_spec> in_start_order(std::vector<child_spec> specs);

/// Throws as `in_start_order`.
void check_start_order(const std::vector<child_spec>& specs);

/// Reads a list of ids. Throws `spec_error` with `{invalid_start_after, X}` for what is no list.
std::vector<term> start_after_from_term(const term& value);

} // namespace penning::supervision
