#include <penning/actors/posix_name.hpp>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string>

namespace penning::actors {

atom posix_name(std::error_code code) {
  const bool from_errno =
    code.category() == std::system_category() || code.category() == std::generic_category();
  const char* text = from_errno ? strerrorname_np(code.value()) : nullptr;
  std::string name = text ? text : "unknown";
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return atom{name};
}

} // namespace penning::actors
