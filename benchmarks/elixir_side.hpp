#pragma once

#include "harness.hpp"

#include <chrono>
#include <string>

namespace penning::bench {

/// Runs a script of this folder with penning's Elixir package at hand, and in the environment where
/// the programs are that it may need. It measures by itself, and prints the units of work, the
/// seconds that they took, and the bytes that they take; perhaps the share of the mean behind them.
measurement run_elixir(const std::string& script, const std::string& arguments);

/// The same of a script that prints a number of processes, and their pids, and then does nothing
/// for as many milliseconds as its last argument, added here, says: what they do in `idle` of them.
measurement watch_elixir(const std::string& script, const std::string& arguments,
                         std::chrono::milliseconds idle);

} // namespace penning::bench
