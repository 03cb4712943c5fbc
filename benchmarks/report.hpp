#pragma once

#include "harness.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace penning::bench {

/// Under which circumstances the numbers were taken; without them they mean nothing.
struct machine_facts {
  std::string kernel;
  std::string cpu;
  unsigned cores = 0;
  std::string compiler;
  std::string build;
  std::string containment; ///< how penning kept children from outliving it
};

/// Asks this machine. `containment` comes from whoever started children.
machine_facts facts_of_this_machine(std::string containment);

/// The table, for people: a line per side.
std::string table(const machine_facts& facts, const std::vector<subject_result>& results);

/// Everything, for programs; docs/benchmarks.md tells the shape.
nlohmann::ordered_json json(const machine_facts& facts, const std::vector<subject_result>& results);

} // namespace penning::bench
