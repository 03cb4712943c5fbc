#pragma once

#include <penning/io/launch_options.hpp>

#include <string>

namespace penning::io::test {

/// What `validate` says, as "option|value|problem"; empty if nothing.
inline std::string refusal(const launch_options& options) {
  try {
    validate(options);
    return "";
  } catch (const option_error& e) {
    return e.option() + "|" + e.value() + "|" + e.problem();
  }
}

} // namespace penning::io::test
