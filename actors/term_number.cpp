#include <penning/actors/term_number.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

namespace penning::actors::detail {
namespace {

constexpr double two_to_63 = 9223372036854775808.0;

/// A float's shortest decimal digits; it is 0.DIGITS * 10^point.
struct decimal {
  std::string digits;
  int point = 0;
};

decimal shortest(double magnitude) {
  std::array<char, 32> buffer{};
  const auto end =
    std::to_chars(buffer.begin(), buffer.end(), magnitude, std::chars_format::scientific).ptr;
  const std::string_view text{buffer.data(), static_cast<std::size_t>(end - buffer.data())};
  const auto e = text.find('e');
  decimal result{std::string{text.substr(0, e)}, 0};
  std::erase(result.digits, '.');
  auto exponent = text.substr(e + 1);
  exponent.remove_prefix(exponent.starts_with('+') ? 1 : 0);
  std::from_chars(exponent.data(), exponent.data() + exponent.size(), result.point);
  ++result.point;
  return result;
}

std::string with_exponent(const decimal& d) {
  const auto rest = d.digits.size() > 1 ? d.digits.substr(1) : std::string{"0"};
  return d.digits.substr(0, 1) + '.' + rest + 'e' + std::to_string(d.point - 1);
}

/// Zeros are written out while that is no longer than the exponent, and the value is one of those
/// whose whole part has all digits significant.
std::string layout(const decimal& d, double magnitude) {
  const auto length = static_cast<int>(d.digits.size());
  const auto exponent = static_cast<int>(std::to_string(d.point - 1).size());
  const auto exponent_cost = exponent + 1 + (length == 1 ? 2 : 1);
  const auto zeros = [](int n) { return std::string(static_cast<std::size_t>(n), '0'); };
  if (magnitude >= 9007199254740992.0) // 2^53
    return with_exponent(d);
  if (d.point <= 0)
    return 2 - d.point <= exponent_cost ? "0." + zeros(-d.point) + d.digits : with_exponent(d);
  if (d.point < length) {
    const auto split = static_cast<std::size_t>(d.point);
    return d.digits.substr(0, split) + '.' + d.digits.substr(split);
  }
  if (d.point - length + 2 <= exponent_cost)
    return d.digits + zeros(d.point - length) + ".0";
  return with_exponent(d);
}

} // namespace

std::strong_ordering compare_numbers(std::int64_t a, double b) noexcept {
  if (b >= two_to_63)
    return std::strong_ordering::less;
  if (b < -two_to_63)
    return std::strong_ordering::greater;
  const auto whole = static_cast<std::int64_t>(b); // towards zero
  if (a != whole)
    return a <=> whole;
  const auto fraction = b - static_cast<double>(whole);
  return fraction > 0   ? std::strong_ordering::less
         : fraction < 0 ? std::strong_ordering::greater
                        : std::strong_ordering::equal;
}

std::strong_ordering compare_numbers(const big_integer& a, double b) {
  if (a.magnitude().size() > 128) // beyond the largest double, which is below 2^1024
    return a.negative() ? std::strong_ordering::less : std::strong_ordering::greater;
  if (const auto small = a.as_int64())
    return compare_numbers(*small, b);
  if (std::fabs(b) < two_to_63) // where a fraction is possible
    return a.negative() ? std::strong_ordering::less : std::strong_ordering::greater;
  return a <=> big_integer::truncated(b);
}

std::string float_text(double value) {
  const std::string sign = std::signbit(value) ? "-" : "";
  const auto magnitude = std::fabs(value);
  if (magnitude == 0)
    return sign + "0.0";
  return sign + layout(shortest(magnitude), magnitude);
}

} // namespace penning::actors::detail
