#pragma once

#include "harness.hpp"

#include <vector>

namespace penning::bench {

/// /bin/true from nothing to reaped: one at a time, and eight at a time.
std::vector<subject> spawn_and_reap();

/// A child writes as fast as it can, and its output is read and thrown away.
std::vector<subject> stdout_throughput();

/// A child that is killed and started again, beside OTP's supervisor.
std::vector<subject> restarts();

/// Children of a dynamic supervisor, beside OTP's and Elixir's.
std::vector<subject> dynamic_children();

} // namespace penning::bench
