#pragma once

#include <penning/actors/term_integer.hpp>

#include <compare>
#include <cstdint>
#include <string>

namespace penning::actors::detail {

/// Compares a whole number with a finite float by value, exactly, however large they are.
std::strong_ordering compare_numbers(std::int64_t a, double b) noexcept;
std::strong_ordering compare_numbers(const big_integer& a, double b);

/// The shortest text that reads back as `value`, laid out as Erlang does it: `1.0`, `1.0e-5`.
/// Source: `io_lib_format:fwrite_g/1`.
std::string float_text(double value);

} // namespace penning::actors::detail
