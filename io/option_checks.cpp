#include <penning/io/option_checks.hpp>

namespace penning::io {

void refuse_nul(const char* option, const std::string& value) {
  if (value.find('\0') != std::string::npos)
    throw option_error(option, value, "contains a NUL byte");
}

std::string absolute_path(const launch_options& options, const std::filesystem::path& path) {
  if (path.is_absolute())
    return path.string();
  std::error_code vanished;
  auto result = std::filesystem::absolute(options.cd / path, vanished);
  return vanished ? (options.cd / path).string() : result.string();
}

} // namespace penning::io
