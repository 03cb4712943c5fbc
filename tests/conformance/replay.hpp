#pragma once

#include "stage.hpp"

#include <optional>
#include <string>

namespace penning::conformance {

/// Where a replay went another way than OTP.
struct difference {
  std::string step; ///< `start`, or the number and the event.
  std::string field;
  std::string expected;
  std::string got;
};

/// Whether the scenario needs time to pass that nothing waits for.
bool sleeps(const json& scenario);

/// Plays a scenario on `where`; the first difference, if any. What the scenario asks for and the
/// replayer cannot do, or what never comes, is a difference as well.
std::optional<difference> replay(const json& scenario, stage& where);

} // namespace penning::conformance
