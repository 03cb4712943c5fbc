#include <penning/actors/term_integer.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

namespace penning::actors {
namespace {

using digits = std::vector<std::uint8_t>;

constexpr std::size_t decimal_limit = 4096; // bytes of magnitude

constexpr std::uint64_t magnitude_of(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  return value < 0 ? 0 - bits : bits;
}

/// The magnitude's lowest 64 bits.
std::uint64_t low_word(const digits& magnitude) {
  std::uint64_t word = 0;
  for (std::size_t i = std::min<std::size_t>(magnitude.size(), 8); i-- > 0;)
    word = word << 8 | magnitude[i];
  return word;
}

std::vector<std::uint32_t> limbs_of(std::span<const std::uint8_t> magnitude) {
  std::vector<std::uint32_t> limbs((magnitude.size() + 3) / 4);
  for (std::size_t i = 0; i < magnitude.size(); ++i)
    limbs[i / 4] |= static_cast<std::uint32_t>(magnitude[i]) << (i % 4 * 8);
  return limbs;
}

/// Divides in place; returns the remainder.
std::uint32_t divide(std::vector<std::uint32_t>& limbs, std::uint32_t divisor) {
  std::uint64_t rest = 0;
  for (auto i = limbs.size(); i-- > 0;) {
    const auto part = rest << 32 | limbs[i];
    limbs[i] = static_cast<std::uint32_t>(part / divisor);
    rest = part % divisor;
  }
  while (!limbs.empty() && limbs.back() == 0)
    limbs.pop_back();
  return static_cast<std::uint32_t>(rest);
}

void multiply_and_add(digits& magnitude, std::uint32_t factor, std::uint32_t addend) {
  std::uint64_t carry = addend;
  for (auto& byte : magnitude) {
    carry += static_cast<std::uint64_t>(byte) * factor;
    byte = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  for (; carry != 0; carry >>= 8)
    magnitude.push_back(static_cast<std::uint8_t>(carry));
}

std::string base16(const big_integer& value) {
  static constexpr char hex[] = "0123456789ABCDEF";
  std::string out = value.negative() ? "-16#" : "16#";
  const auto bytes = value.magnitude();
  for (auto i = bytes.size(); i-- > 0;) {
    if (i + 1 != bytes.size() || bytes[i] >= 16)
      out.push_back(hex[bytes[i] >> 4]);
    out.push_back(hex[bytes[i] & 15]);
  }
  return out;
}

} // namespace

big_integer::big_integer(bool negative, std::vector<std::uint8_t> magnitude)
    : negative_{negative},
      magnitude_{std::move(magnitude)} {
  while (!magnitude_.empty() && magnitude_.back() == 0)
    magnitude_.pop_back();
  if (magnitude_.empty())
    negative_ = false;
}

big_integer::big_integer(bool negative, std::uint64_t magnitude) : negative_{negative} {
  for (; magnitude != 0; magnitude >>= 8)
    magnitude_.push_back(static_cast<std::uint8_t>(magnitude));
}

big_integer::big_integer(std::int64_t value) : big_integer{value < 0, magnitude_of(value)} {}

big_integer big_integer::truncated(double value) {
  int exponent = 0;
  const auto fraction = std::frexp(std::fabs(value), &exponent);
  const auto mantissa = static_cast<std::uint64_t>(std::ldexp(fraction, 53));
  if (exponent <= 53)
    return {value < 0, exponent <= 0 ? 0 : mantissa >> (53 - exponent)};
  const auto shift = static_cast<unsigned>(exponent - 53);
  digits magnitude(shift / 8);
  const auto low = mantissa << shift % 8; // 53 + 7 bits
  for (unsigned i = 0; i < 8; ++i)
    magnitude.push_back(static_cast<std::uint8_t>(low >> i * 8));
  return {value < 0, std::move(magnitude)};
}

std::optional<big_integer> big_integer::parse(std::string_view decimal) {
  const auto minus = decimal.starts_with('-');
  decimal.remove_prefix(minus ? 1 : 0);
  if (decimal.empty())
    return std::nullopt;
  digits magnitude;
  for (const auto c : decimal) {
    if (c < '0' || c > '9')
      return std::nullopt;
    multiply_and_add(magnitude, 10, static_cast<std::uint32_t>(c - '0'));
  }
  return big_integer{minus, std::move(magnitude)};
}

std::optional<std::uint64_t> big_integer::as_uint64() const noexcept {
  if (negative_ || magnitude_.size() > 8)
    return std::nullopt;
  return low_word(magnitude_);
}

std::optional<std::int64_t> big_integer::as_int64() const noexcept {
  if (magnitude_.size() > 8)
    return std::nullopt;
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const auto word = low_word(magnitude_);
  if (word > most + (negative_ ? 1 : 0))
    return std::nullopt;
  return static_cast<std::int64_t>(negative_ ? 0 - word : word);
}

std::strong_ordering operator<=>(const big_integer& a, const big_integer& b) noexcept {
  if (a.negative_ != b.negative_)
    return a.negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
  const auto& [x, y] = a.negative_ ? std::tie(b, a) : std::tie(a, b);
  if (const auto sizes = x.magnitude_.size() <=> y.magnitude_.size(); sizes != 0)
    return sizes;
  return std::lexicographical_compare_three_way(x.magnitude_.rbegin(), x.magnitude_.rend(),
                                                y.magnitude_.rbegin(), y.magnitude_.rend());
}

std::string to_string(const big_integer& value) {
  if (value.magnitude().size() > decimal_limit)
    return base16(value);
  constexpr std::uint32_t chunk = 1'000'000'000;
  std::string reversed;
  auto limbs = limbs_of(value.magnitude());
  while (!limbs.empty()) {
    auto nine = divide(limbs, chunk);
    for (int i = 0; i < 9 && (nine != 0 || !limbs.empty()); ++i, nine /= 10)
      reversed.push_back(static_cast<char>('0' + nine % 10));
  }
  if (reversed.empty())
    return "0";
  if (value.negative())
    reversed.push_back('-');
  return {reversed.rbegin(), reversed.rend()};
}

} // namespace penning::actors
