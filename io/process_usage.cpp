#include <penning/io/process_usage.hpp>

#include <penning/io/process_group.hpp>

#include <fstream>
#include <string>

namespace penning::io {
namespace {

std::chrono::microseconds duration(std::uint64_t ticks) {
  return std::chrono::microseconds(ticks * 1'000'000 / ticks_per_second());
}

/// 0 for a zombie, which has no memory any more.
std::int64_t peak_rss_kib(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; status >> word;) {
    std::int64_t kib = 0;
    if (word == "VmHWM:" && status >> kib)
      return kib;
  }
  return 0;
}

} // namespace

std::optional<resource_usage> usage_of(pid_t pid, std::uint64_t known_at) {
  const auto peak = peak_rss_kib(pid);
  const auto stat = stat_of(pid); // last: it says whose that was
  if (!stat || stat->start > known_at)
    return {};
  return resource_usage{duration(stat->user), duration(stat->system), peak};
}

} // namespace penning::io
