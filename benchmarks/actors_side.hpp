#pragma once

#include "harness.hpp"

#include <penning/actors/runtime.hpp>

#include <cstddef>
#include <cstdint>

namespace penning::bench {

/// What an owning actor is to do: run `operations` children, `at_once` of them under way.
struct owner_task {
  actors::os_process_options options;
  std::uint64_t operations = 1;
  std::size_t at_once = 1;
};

/// Runs the children under one actor that owns them all, consumes what they write and starts the
/// next one when it hears of an end. Units are operations; `*bytes` gets the size of all output.
measurement run_under_an_owner(const owner_task& task, double* bytes = nullptr);

} // namespace penning::bench
