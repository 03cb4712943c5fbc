#pragma once

#include <penning/actors/option_value.hpp>
#include <penning/io/cgroup_options.hpp>

#include <vector>

namespace penning::actors {

// What the options of a control group look like as terms, as in launch_words.hpp.

/// A list of `{Controller, Key, Value}` or `[Controller, Key, Value]`.
std::vector<io::cgroup_set> cgroup_sets_from(const option_value& value);

/// Sets what `#{memory => Bytes, cpu => Number, pids => N, io => [#{device => Path, read_bytes =>
/// N, write_bytes => N, read_operations => N, write_operations => N}]}` has.
void set_cgroup_limits(io::cgroup_options& options, const option_value& value);

} // namespace penning::actors
