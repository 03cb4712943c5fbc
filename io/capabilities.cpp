#include <penning/io/capabilities.hpp>

#include <sys/capability.h>

#include <string>

namespace penning::io {
namespace {

// libcap itself would take a number for a name, and ignore what follows a name.
std::string spelled_out(std::string_view name) {
  std::string result;
  for (char c : name)
    result += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (result.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") != std::string::npos)
    return {};
  return result.starts_with("cap_") ? result : "cap_" + result;
}

std::uint64_t bit_of(const std::string& name) {
  cap_value_t number = 0;
  if (::cap_from_name(spelled_out(name).c_str(), &number) != 0)
    throw option_error("capabilities", name, "no such capability");
  return std::uint64_t{1} << number;
}

} // namespace

capability_limit resolve_capabilities(const capability_change& change) {
  std::uint64_t named = 0;
  for (const auto& name : change.names)
    named |= bit_of(name);
  if (change.what == capability_change::kind::keep)
    return {.allowed = named, .is_exact = true};
  return {.allowed = ~named};
}

} // namespace penning::io
