#pragma once

#include "recorder.hpp"

namespace penning::io::test {

/// No echo and nothing translated, in either direction.
inline pty_options raw() {
  pty_options result;
  for (const char* name : {"ECHO", "ICANON", "ISIG", "IEXTEN", "ICRNL", "IXON", "OPOST"})
    result.modes.emplace_back(name, 0);
  return result;
}

/// Lines, without echo.
inline pty_options quiet() {
  return {.modes = {{"ECHO", 0}}};
}

/// Starts a program of tests/programs (or one to be found in PATH) under a terminal.
inline std::shared_ptr<recorder> start_in(child_host& host, pty_options pty,
                                          const std::string& name,
                                          std::vector<std::string> args = {},
                                          std::size_t window = 1024 * 1024) {
  auto result = std::make_shared<recorder>(window);
  host.start({.program = name, .args = std::move(args), .pty = std::move(pty)}, result);
  return result;
}

/// The same with a script for bash, once it has started.
inline std::shared_ptr<recorder> bash_in(child_host& host, pty_options pty,
                                         const std::string& script) {
  auto result = start_in(host, std::move(pty), "bash", {"-c", script});
  result->wait_started();
  return result;
}

} // namespace penning::io::test
