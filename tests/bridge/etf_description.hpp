#pragma once

#include <penning/bridge/etf.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace penning::test {

/// The term that a description in tests/bridge/data/etf stands for, e.g.
/// `{"t":"tuple","e":[{"t":"atom","v":"ok"}]}`. Errors: `std::invalid_argument`.
actors::term described(const nlohmann::json& description);

/// Bytes from hexadecimal digits and back.
std::vector<char> from_hex(std::string_view hex);
std::string to_hex(std::string_view bytes);

inline std::string to_hex(const std::vector<char>& bytes) {
  return to_hex(std::string_view{bytes.data(), bytes.size()});
}

/// The vectors of a file: a JSON object on each line.
std::vector<nlohmann::json> read_vectors(const std::string& path);

} // namespace penning::test
