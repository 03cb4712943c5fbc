#pragma once

#include <cstddef>
#include <string_view>

namespace penning::bridge::etf {

/// FLOAT_EXT: text in a field of fixed size, padded with zero bytes.
inline constexpr std::size_t old_float_size = 31;

/// Reads `[+-]?[0-9]+\.[0-9]+([eE][+-]?[0-9]+)?` up to the first zero byte. A number too small for
/// a double is zero. Returns false for other text and for numbers too large.
/// Source: `sys_chars_to_double` in OTP's sys_float.c.
bool parse_old_float(std::string_view field, double& out) noexcept;

/// Writes the field at `out`, as `sprintf("%.20e")` does.
void print_old_float(double value, char* out) noexcept;

} // namespace penning::bridge::etf
