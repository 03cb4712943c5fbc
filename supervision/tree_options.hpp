#pragma once

// Not installed: what a child of a tree file may have that OTP's children have not.

#include <penning/actors/readiness.hpp>
#include <penning/supervision/backoff.hpp>
#include <penning/supervision/toml_table.hpp>

#include <optional>
#include <string>
#include <vector>

namespace penning::supervision::detail {

/// `backoff = { initial = 100, max = 30000, factor = 2.0, jitter = 0.1, reset_after = 60000 }`.
std::optional<backoff> read_backoff(table_reader& in);

/// `ready = { tcp = "127.0.0.1:80", interval = 100 }`, or `stdout`, `unix`, `file`, `command`, as
/// the term that is `ready` among the options of a process.
std::optional<actors::term> read_readiness(table_reader& in);

/// `start_after = ["db"]`.
std::vector<std::string> read_start_after(table_reader& in);

} // namespace penning::supervision::detail
