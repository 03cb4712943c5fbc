#pragma once

#include <penning/io/launch_options.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace penning::io {

/// Variables as execve(2) takes them, in one piece of memory however many they are.
class environment {
 public:
  /// `NAME=value`. Replaces nothing: of two with one name most programs see the first.
  void add(std::string_view entry);

  /// What `add` was given, in that order, and a null pointer; valid while this neither changes nor
  /// moves.
  std::vector<const char*> pointers() const;

 private:
  std::string text_; // each with its NUL
  std::size_t count_ = 0;
};

/// The environment of the child: the caller's, or with `clear_env` an empty one, changed as
/// `options.env` says.
environment child_environment(const launch_options& options);

} // namespace penning::io
