#pragma once

#include "harness.hpp"

#include <string>

namespace penning::bench {

/// Runs a script of this folder with penning's Elixir package at hand, and in the environment where
/// the programs are that it may need. It measures by itself, and prints the units of work, the
/// seconds that they took, and the bytes that they take.
measurement run_elixir(const std::string& script, const std::string& arguments);

} // namespace penning::bench
