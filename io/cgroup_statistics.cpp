#include <penning/io/cgroup_statistics.hpp>

#include <penning/io/cgroup_files.hpp>

#include <charconv>

namespace penning::io {
namespace {

using std::chrono::microseconds;
using number = std::optional<std::uint64_t>;

number number_in(std::string_view text) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} ? number(value) : std::nullopt;
}

number number_in(int directory, const char* name) {
  return number_in(read_file(directory, name).value_or(""));
}

/// By the names of both versions: at most one of the two files exists.
number either(int directory, const char* v2, const char* v1) {
  auto found = number_in(directory, v2);
  return found ? found : number_in(directory, v1);
}

std::optional<microseconds> from_nanoseconds(number value) {
  return value ? std::optional(microseconds(*value / 1000)) : std::nullopt;
}

number oom_kills_in(int directory) {
  auto text = read_file(directory, "memory.events");
  return number_of(text ? *text : read_file(directory, "memory.oom_control").value_or(""),
                   "oom_kill");
}

} // namespace

std::optional<std::uint64_t> number_of(std::string_view lines, std::string_view key) {
  while (!lines.empty()) {
    auto line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(line.size() == lines.size() ? line.size() : line.size() + 1);
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ')
      return number_in(line.substr(key.size() + 1));
  }
  return {};
}

cgroup_statistics read_statistics(const std::string& path) {
  const auto open = open_directory(path);
  const int directory = open.get();
  cgroup_statistics result;
  result.memory = either(directory, "memory.current", "memory.usage_in_bytes");
  result.memory_peak = either(directory, "memory.peak", "memory.max_usage_in_bytes");
  if (auto time = read_processor_time(directory)) {
    result.user = time->user;
    result.system = time->system;
  } else {
    result.user = from_nanoseconds(number_in(directory, "cpuacct.usage_user"));
    result.system = from_nanoseconds(number_in(directory, "cpuacct.usage_sys"));
  }
  result.pids = number_in(directory, "pids.current");
  result.oom_kills = oom_kills_in(directory);
  return result;
}

std::optional<std::uint64_t> read_oom_kills(const std::string& path) {
  return oom_kills_in(open_directory(path).get());
}

std::optional<processor_time> read_processor_time(int directory) {
  return processor_time_in(read_file(directory, "cpu.stat"));
}

std::optional<processor_time> processor_time_in(const std::optional<std::string>& stat) {
  const auto text = stat.value_or("");
  auto user = number_of(text, "user_usec"), system = number_of(text, "system_usec");
  if (!user || !system) // v1 has a file of that name with other things in it
    return {};
  return processor_time{microseconds(*user), microseconds(*system)};
}

cgroup_statistics since(const std::optional<processor_time>& before, cgroup_statistics now) {
  now.memory_peak = now.oom_kills = {};
  if (!before)
    now.user = now.system = {};
  if (now.user && now.system) {
    *now.user -= before->user;
    *now.system -= before->system;
  }
  return now;
}

cgroup_statistics either(cgroup_statistics first, const cgroup_statistics& second) {
  auto fill = [](auto& to, const auto& from) {
    if (!to)
      to = from;
  };
  fill(first.memory, second.memory);
  fill(first.memory_peak, second.memory_peak);
  fill(first.user, second.user);
  fill(first.system, second.system);
  fill(first.pids, second.pids);
  fill(first.oom_kills, second.oom_kills);
  return first;
}

} // namespace penning::io
