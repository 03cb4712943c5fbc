#pragma once

#include <string_view>

namespace penning::io {

/// The guardian's executable, see guardian_main.cpp.
std::string_view guardian_image() noexcept;

} // namespace penning::io
