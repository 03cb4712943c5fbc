#pragma once

// Not installed: the options of a program in a tree file.

#include <penning/supervision/toml_table.hpp>

#include <chrono>

namespace penning::supervision::detail {

/// The program of a child's table, with the options of `actors::option_names` as their keys; other
/// keys are left alone. `delay_to_sigkill` is what it has without that key.
tree_program read_program(table_reader& in, std::chrono::milliseconds delay_to_sigkill);

} // namespace penning::supervision::detail
