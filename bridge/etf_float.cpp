#include <penning/bridge/etf_float.hpp>

#include <charconv>
#include <cstring>
#include <system_error>

namespace penning::bridge::etf {
namespace {

bool skip(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text[0]) == any_of.npos)
    return false;
  text.remove_prefix(1);
  return true;
}

bool skip_digits(std::string_view& text) {
  const auto n = text.find_first_not_of("0123456789");
  const auto found = n != 0 && !text.empty();
  text.remove_prefix(n == text.npos ? text.size() : n);
  return found;
}

bool is_float(std::string_view text) {
  skip(text, "+-");
  if (!skip_digits(text) || !skip(text, ".") || !skip_digits(text))
    return false;
  if (text.empty())
    return true;
  if (!skip(text, "eE"))
    return false;
  skip(text, "+-");
  return skip_digits(text) && text.empty();
}

} // namespace

bool parse_old_float(std::string_view field, double& out) noexcept {
  auto text = field.substr(0, field.find('\0'));
  if (!is_float(text))
    return false;
  skip(text, "+"); // which from_chars does not take
  const auto error = std::from_chars(text.data(), text.data() + text.size(), out).ec;
  const auto e = text.find_first_of("eE");
  if (error == std::errc::result_out_of_range && e != text.npos && text[e + 1] == '-') {
    out = text[0] == '-' ? -0.0 : 0.0;
    return true;
  }
  return error == std::errc{};
}

void print_old_float(double value, char* out) noexcept {
  std::memset(out, 0, old_float_size);
  std::to_chars(out, out + old_float_size, value, std::chars_format::scientific, 20);
}

} // namespace penning::bridge::etf
