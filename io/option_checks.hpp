#pragma once

#include <penning/io/launch_options.hpp>

#include <filesystem>
#include <string>

namespace penning::io {

/// Throws `option_error` for a value that the system would take to end at its first NUL byte.
void refuse_nul(const char* option, const std::string& value);

/// A path as the child takes it: relative to `options.cd`, and so to the caller's own directory.
/// Left relative where that one has vanished: the system call that gets it will tell.
std::string absolute_path(const launch_options& options, const std::filesystem::path& path);

} // namespace penning::io
