#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penning::actors {

/// A whole number of any size: sign and magnitude, least significant byte first.
///
/// Inside a `term` it stands only for what `std::int64_t` cannot hold; building a term from a
/// smaller one gives the plain integer. There is no minus zero and no leading zero byte.
class big_integer {
 public:
  big_integer() = default;
  big_integer(bool negative, std::vector<std::uint8_t> magnitude);
  explicit big_integer(std::int64_t value);
  explicit big_integer(std::uint64_t value) : big_integer{false, value} {}
  /// The whole part of a finite `value`, exactly.
  static big_integer truncated(double value);
  /// Reads `-?[0-9]+`; nothing for any other text. Complexity: O(n²).
  static std::optional<big_integer> parse(std::string_view decimal);

  bool negative() const noexcept { return negative_; }
  std::span<const std::uint8_t> magnitude() const noexcept { return magnitude_; }
  /// The value, if `std::int64_t` can hold it.
  std::optional<std::int64_t> as_int64() const noexcept;
  std::optional<std::uint64_t> as_uint64() const noexcept;

  friend bool operator==(const big_integer&, const big_integer&) = default;
  friend std::strong_ordering operator<=>(const big_integer& a, const big_integer& b) noexcept;

 private:
  big_integer(bool negative, std::uint64_t magnitude);

  bool negative_ = false;
  std::vector<std::uint8_t> magnitude_;
};

/// Decimal digits, as Erlang prints them. Complexity: O(n²) in the number's length; beyond 4096
/// bytes it is written in base 16 (`16#FF`, valid Erlang as well) in O(n), since the number may
/// come from a peer.
std::string to_string(const big_integer& value);

} // namespace penning::actors
