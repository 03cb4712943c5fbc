#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace penning::io {

/// A variable of a child's environment: set to a value, or unset (no value).
using environment_change = std::pair<std::string, std::optional<std::string>>;

/// What to start and how.
struct launch_options {
  std::string program{};                 ///< A path with a slash, or a name to be found in PATH.
  std::vector<std::string> args{};       ///< Without the program's own name.
  std::optional<std::string> arg0{};     ///< What the program sees as its name; else `program`.
  std::string cd{};                      ///< Working directory; the caller's own when empty.
  std::vector<environment_change> env{}; ///< Changes to the caller's environment, in order.
};

/// Bad input, told before anything has started: names the option, its value and what is wrong.
class option_error : public std::invalid_argument {
 public:
  option_error(std::string option, std::string value, std::string problem);

  const std::string& option() const noexcept { return option_; }
  const std::string& value() const noexcept { return value_; }
  const std::string& problem() const noexcept { return problem_; }

 private:
  std::string option_, value_, problem_;
};

/// Throws `option_error` for an empty program, a NUL anywhere, an environment name that is empty or
/// has `=`, and a working directory that is missing or none. Touches nothing. Whether the program
/// can be executed is not looked at: `resolve_program` does, and execve(2) has the last word.
void validate(const launch_options& options);

/// The absolute path that execve(2) will get: `options.program` itself when it has a slash
/// (relative to `options.cd`), else the first executable file of that name in PATH (the child's
/// PATH if `env` sets one, the C library's default when there is none). Throws `option_error`
/// when there is no such file, or only files without the execute bit.
std::string resolve_program(const launch_options& options);

/// The same without throwing: the path and no error, or the path that was tried last (the bare
/// name when PATH has no such file) and ENOENT or EACCES.
std::pair<std::string, std::error_code> find_program(const launch_options& options);

/// The environment of the child: the caller's, changed as `options.env` says, each `NAME=value`.
std::vector<std::string> child_environment(const launch_options& options);

} // namespace penning::io
