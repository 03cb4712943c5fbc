#pragma once

#include "harness.hpp"

#include <vector>

namespace penning::bench {

/// /bin/true from nothing to reaped: one at a time, also from a large runtime, and eight at a time.
std::vector<subject> spawn_and_reap();

/// A child writes as fast as it can, and its output is read and thrown away.
std::vector<subject> stdout_throughput();

/// A line through cat and back.
std::vector<subject> echo();

/// An OS process that is killed, until its replacement is up.
std::vector<subject> restart_of_a_process();

/// Ten thousand OS processes that do nothing.
std::vector<subject> idle_children();

/// A child that is killed and started again, beside OTP's supervisor.
std::vector<subject> restarts();

/// Children of a dynamic supervisor, beside OTP's and Elixir's.
std::vector<subject> dynamic_children();

/// Messages between an Elixir process and a C++ actor, beside a port program in C.
std::vector<subject> messages();

/// A child writes as fast as it can, and an Elixir process receives it, beside Erlang's own port.
std::vector<subject> stdout_to_elixir();

/// Five thousand children of one penningd, beside as many Erlang ports.
std::vector<subject> children_over_the_bridge();

} // namespace penning::bench
