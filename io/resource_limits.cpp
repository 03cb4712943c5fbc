#include <penning/io/resource_limits.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <array>

namespace penning::io {
namespace {

struct known_limit {
  std::string_view name;
  int resource;
  const char* step;
};

constexpr auto known_limits = std::to_array<known_limit>({
  {"as", RLIMIT_AS, "setrlimit as"},
  {"core", RLIMIT_CORE, "setrlimit core"},
  {"cpu", RLIMIT_CPU, "setrlimit cpu"},
  {"data", RLIMIT_DATA, "setrlimit data"},
  {"fsize", RLIMIT_FSIZE, "setrlimit fsize"},
  {"locks", RLIMIT_LOCKS, "setrlimit locks"},
  {"memlock", RLIMIT_MEMLOCK, "setrlimit memlock"},
  {"msgqueue", RLIMIT_MSGQUEUE, "setrlimit msgqueue"},
  {"nice", RLIMIT_NICE, "setrlimit nice"},
  {"nofile", RLIMIT_NOFILE, "setrlimit nofile"},
  {"nproc", RLIMIT_NPROC, "setrlimit nproc"},
  {"rss", RLIMIT_RSS, "setrlimit rss"},
  {"rtprio", RLIMIT_RTPRIO, "setrlimit rtprio"},
  {"rttime", RLIMIT_RTTIME, "setrlimit rttime"},
  {"sigpending", RLIMIT_SIGPENDING, "setrlimit sigpending"},
  {"stack", RLIMIT_STACK, "setrlimit stack"},
});

std::string text_of(const std::optional<std::uint64_t>& limit) {
  return limit ? std::to_string(*limit) : "infinity";
}

kernel_limit resolve(const resource_limit& limit) {
  auto known = std::find_if(known_limits.begin(), known_limits.end(),
                            [&](const auto& x) { return x.name == limit.name; });
  if (known == known_limits.end())
    throw option_error("rlimits", limit.name, "no such limit");
  kernel_limit result{known->resource, known->step, limit.soft.value_or(RLIM64_INFINITY),
                      limit.hard.value_or(RLIM64_INFINITY)};
  if (result.soft > result.hard)
    throw option_error("rlimits", limit.name,
                       "the soft limit " + text_of(limit.soft) + " is above the hard limit "
                         + text_of(limit.hard));
  return result;
}

} // namespace

std::vector<kernel_limit> resolve_limits(const std::vector<resource_limit>& limits) {
  std::vector<kernel_limit> result;
  for (const auto& limit : limits) {
    auto next = resolve(limit);
    for (const auto& other : result)
      if (other.resource == next.resource)
        throw option_error("rlimits", limit.name, "is given twice");
    result.push_back(next);
  }
  return result;
}

} // namespace penning::io
