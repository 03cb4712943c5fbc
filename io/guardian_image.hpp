#pragma once

#include <penning/io/unique_fd.hpp>

#include <string_view>

namespace penning::io {

/// The guardian's executable, see guardian_main.cpp.
std::string_view guardian_image() noexcept;

/// It in a file of no file system, to be executed, see memfd_create(2). Empty, and errno, on an
/// error.
unique_fd open_guardian_image();

} // namespace penning::io
