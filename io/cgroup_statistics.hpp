#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penning::io {

/// What the control group of a child uses, its descendants included; see cgroups(7). Nothing where
/// the kernel keeps no such account: each needs its controller, processor time under v1 only.
struct cgroup_statistics {
  std::optional<std::uint64_t> memory{};      ///< Bytes now, with the page cache.
  std::optional<std::uint64_t> memory_peak{}; ///< Only of a control group that limits were set for.
  std::optional<std::chrono::microseconds> user{}, system{}; ///< Processor time.
  std::optional<std::uint64_t> pids{};                       ///< Processes and threads now.
  std::optional<std::uint64_t>
    oom_kills{}; ///< Processes that the kernel killed for want of memory.

  friend bool operator==(const cgroup_statistics&, const cgroup_statistics&) = default;
};

/// Of the files in one directory, of either version.
cgroup_statistics read_statistics(const std::string& directory);
std::optional<std::uint64_t> read_oom_kills(const std::string& directory);

/// Of a v2 cgroup that is open, what it has used so far.
struct processor_time {
  std::chrono::microseconds user{}, system{};
};
std::optional<processor_time> read_processor_time(int directory);
std::optional<processor_time> processor_time_in(const std::optional<std::string>& stat);

/// What is known of a group that somebody else was in before, who had used `before`.
cgroup_statistics since(const std::optional<processor_time>& before, cgroup_statistics now);

/// What `first` does not know is taken from `second`.
cgroup_statistics either(cgroup_statistics first, const cgroup_statistics& second);

/// The number in the line `KEY NUMBER` of a file of such lines.
std::optional<std::uint64_t> number_of(std::string_view lines, std::string_view key);

} // namespace penning::io
