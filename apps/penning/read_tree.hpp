#pragma once

#include <penning/supervision/tree_file.hpp>

#include <string>

namespace penning::apps {

/// Reads and checks a tree file, its programs too. Throws `std::runtime_error` when it cannot be
/// read, `supervision::tree_file_error` when it has mistakes.
supervision::tree_supervisor read_tree(const std::string& file);

} // namespace penning::apps
