#pragma once

#include "session.hpp"

namespace penning::conformance {

/// STEP without its `result`: what has happened since the last one, and what is to be seen now.
json observe(session& on);

/// A list in the order of its elements.
json sorted(json list);

} // namespace penning::conformance
