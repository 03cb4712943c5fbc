#include <penning/io/cgroup_limits.hpp>
#include <penning/io/launch_options.hpp>
#include <penning/io/terminal_modes.hpp>

#include <penning/io/child_attributes.hpp>
#include <penning/io/option_checks.hpp>
#include <penning/io/stdio_targets.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace penning::io {
namespace {

std::string sentence(const std::string& option, const std::string& value,
                     const std::string& problem) {
  std::string shown;
  for (char c : value)
    c == '\0' ? shown += "\\0" : shown += c;
  return option + " \"" + shown + "\": " + problem;
}

void validate(const environment_change& change) {
  const auto& [name, value] = change;
  refuse_nul("env", name);
  if (name.empty())
    throw option_error("env", name, "a variable needs a name");
  if (name.find('=') != std::string::npos)
    throw option_error("env", name, "the name of a variable cannot contain '='");
  if (value && value->find('\0') != std::string::npos)
    throw option_error("env", name + "=" + *value, "contains a NUL byte");
}

void validate_directory(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    throw option_error("cd", path, std::system_category().message(errno));
  if (!S_ISDIR(info.st_mode))
    throw option_error("cd", path, std::system_category().message(ENOTDIR));
}

/// 0, or why execve(2) would refuse this file.
int why_not_executable(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    return errno;
  if (!S_ISREG(info.st_mode) || ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) != 0)
    return EACCES;
  return 0;
}

/// The child's PATH: the last change to it, else the one that it inherits, else confstr(3)'s.
std::string search_path(const launch_options& options) {
  auto change = std::find_if(options.env.rbegin(), options.env.rend(),
                             [](const auto& x) { return x.first == "PATH"; });
  if (change != options.env.rend() && change->second)
    return *change->second;
  bool inherits = change == options.env.rend() && !options.clear_env;
  const char* ours = inherits ? std::getenv("PATH") : nullptr;
  return ours != nullptr ? ours : "/bin:/usr/bin";
}

} // namespace

option_error::option_error(std::string option, std::string value, std::string problem)
    : std::invalid_argument(sentence(option, value, problem)),
      option_(std::move(option)),
      value_(std::move(value)),
      problem_(std::move(problem)) {}

void validate(const launch_options& options) {
  if (options.program.empty())
    throw option_error("program", "", "must not be empty");
  refuse_nul("program", options.program);
  for (const auto& arg : options.args)
    refuse_nul("args", arg);
  if (options.arg0)
    refuse_nul("arg0", *options.arg0);
  refuse_nul("cd", options.cd);
  if (!options.cd.empty())
    validate_directory(options.cd);
  for (const auto& change : options.env)
    validate(change);
  if (options.pid_namespace && options.orphans == orphan_policy::keep)
    throw option_error("orphans", "keep", "nothing outlives the first process of a pid_namespace");
  validate_terminal(options);
  validate_stdio(options);
  resolve_attributes(options);
  if (options.cgroup)
    validate(*options.cgroup);
}

// As execvp(3): the first file that may be executed; EACCES is remembered while looking on.
std::pair<std::string, std::error_code> find_program(const launch_options& options) {
  const auto& name = options.program;
  if (name.find('/') != std::string::npos) {
    auto path = absolute_path(options, name);
    int error = why_not_executable(path);
    return {path, {error, std::system_category()}};
  }
  std::pair<std::string, std::error_code> result{name, {ENOENT, std::system_category()}};
  auto path = search_path(options);
  for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
    end = path.find(':', begin);
    auto directory = path.substr(begin, end == std::string::npos ? end : end - begin);
    auto candidate = absolute_path(options, std::filesystem::path(directory) / name);
    int error = why_not_executable(candidate);
    if (error == 0)
      return {candidate, {}};
    if (error == EACCES)
      result = {candidate, {EACCES, std::system_category()}};
  }
  return result;
}

std::string resolve_program(const launch_options& options) {
  auto [path, error] = find_program(options);
  if (!error)
    return path;
  bool in_path = options.program.find('/') == std::string::npos;
  throw option_error("program", options.program,
                     error.value() == EACCES ? path + " is not an executable file"
                     : in_path               ? "not found in PATH"
                                             : error.message());
}

} // namespace penning::io
