#include "room.hpp"

#include <sys/resource.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <fstream>

namespace penning::bench {
namespace {

constexpr std::uint64_t spare_descriptors = 500, spare_processes = 1'000;

std::uint64_t number_in(const char* path, std::uint64_t otherwise) {
  std::uint64_t number = 0;
  return std::ifstream{path} >> number ? number : otherwise;
}

/// Only who has CAP_SYS_RESOURCE may raise the hard limit, and to fs.nr_open at most.
std::uint64_t raise_descriptors() {
  const rlim_t most = number_in("/proc/sys/fs/nr_open", 0);
  const rlimit raised{most, most};
  ::setrlimit(RLIMIT_NOFILE, &raised);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_max;
}

std::uint64_t less(std::uint64_t a, std::uint64_t b) {
  return a - std::min(a, b);
}

} // namespace

room make_room() {
  struct sysinfo now {};
  ::sysinfo(&now);
  const auto most = std::min(number_in("/proc/sys/kernel/pid_max", 32'768),
                             number_in("/proc/sys/kernel/threads-max", 32'768));
  return {.descriptors = raise_descriptors(), .processes = less(most, now.procs)};
}

std::uint64_t children_in(const room& there, std::uint64_t wanted, std::uint64_t descriptors_each) {
  return std::min({wanted, less(there.descriptors, spare_descriptors) / descriptors_each,
                   less(there.processes, spare_processes)});
}

} // namespace penning::bench
