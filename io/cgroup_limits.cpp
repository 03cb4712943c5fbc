#include <penning/io/cgroup_limits.hpp>

#include <penning/io/launch_options.hpp>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>

namespace penning::io {
namespace {

constexpr double least_cpu = 0.001, most_cpu = 1e6;

std::string text_of(double number) {
  std::array<char, 32> text;
  auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

void refuse_zero(const char* option, const std::optional<std::uint64_t>& value) {
  if (value == 0)
    throw option_error(option, "0", "must be more than 0");
}

void refuse_nul(const char* option, const std::string& value) {
  if (value.find('\0') != value.npos)
    throw option_error(option, value, "contains a NUL byte");
}

/// `254:0`, of two numbers.
bool is_device_number(std::string_view text) {
  auto colon = text.find(':');
  auto is_number = [](std::string_view part) {
    return !part.empty() && part.find_first_not_of("0123456789") == part.npos;
  };
  return colon != text.npos && is_number(text.substr(0, colon))
         && is_number(text.substr(colon + 1));
}

std::string device_number(const std::string& device) {
  if (is_device_number(device))
    return device;
  refuse_nul("limits.io", device);
  struct stat info {};
  if (::stat(device.c_str(), &info) != 0)
    throw option_error("limits.io", device, std::system_category().message(errno));
  if (!S_ISBLK(info.st_mode))
    throw option_error("limits.io", device, "is no block device");
  return std::to_string(major(info.st_rdev)) + ":" + std::to_string(minor(info.st_rdev));
}

void validate(const io_limit& limit) {
  device_number(limit.device);
  const std::array all{limit.read_bytes, limit.write_bytes, limit.read_operations,
                       limit.write_operations};
  if (std::ranges::none_of(all, [](const auto& x) { return x.has_value(); }))
    throw option_error("limits.io", limit.device, "nothing is limited");
  if (std::ranges::any_of(all, [](const auto& x) { return x == 0U; }))
    throw option_error("limits.io", limit.device, "a limit must be more than 0");
}

/// Each component a name, so that nothing above the root of the hierarchy is meant.
void validate_place(const char* option, const std::string& place) {
  refuse_nul(option, place);
  if (place.starts_with('/'))
    throw option_error(option, place, "must be relative to the root of the hierarchy");
  for (std::size_t begin = 0, end = 0; end != place.npos; begin = end + 1) {
    end = place.find('/', begin);
    auto name = place.substr(begin, end == place.npos ? end : end - begin);
    if (name.empty() || name == "." || name == "..")
      throw option_error(option, place, "has a component that is empty, \".\" or \"..\"");
  }
}

void validate_places(const cgroup_options& options) {
  if (options.base)
    validate_place("cgroup_base", *options.base);
  if (!options.path)
    return;
  validate_place("cgroup_path", *options.path);
  if (options.base)
    throw option_error("cgroup_path", *options.path,
                       "cannot be given together with cgroup_base \"" + *options.base + "\"");
}

void validate(const cgroup_set& set, const std::vector<wanted_controller>& wanted) {
  const auto shown = set.controller + " " + set.key + "=" + set.value;
  refuse_nul("cgroup_sets", shown);
  if (set.key.empty() || set.key == "." || set.key == ".." || set.key.find('/') != set.key.npos)
    throw option_error("cgroup_sets", shown, "the key must be the name of a file of the cgroup");
  if (std::ranges::none_of(wanted, [&](const auto& x) {
        return set.controller == x.name || set.controller == name_in(1, x.name);
      }))
    throw option_error("cgroup_sets", shown,
                       "the controller \"" + set.controller
                         + "\" is neither in cgroup_controllers nor needed by a limit");
}

/// Of 100 ms, as the kernel's own; of a second where the quota would be less than it takes, 1 ms.
std::pair<std::string, std::string> quota_and_period(double cpu) {
  const long period = cpu * 100'000 < 1000 ? 1'000'000 : 100'000;
  return {std::to_string(std::lround(cpu * static_cast<double>(period))), std::to_string(period)};
}

using settings = std::vector<cgroup_setting>;

settings memory_limits(std::uint64_t bytes, int version) {
  const auto value = std::to_string(bytes);
  if (version == 2)
    return {{"memory.max", value}, {"memory.swap.max", "0", true}};
  return {{"memory.limit_in_bytes", value}, {"memory.memsw.limit_in_bytes", value, true}};
}

settings cpu_limits(double cpu, int version) {
  auto [quota, period] = quota_and_period(cpu);
  if (version == 2)
    return {{"cpu.max", quota + " " + period}};
  return {{"cpu.cfs_period_us", period}, {"cpu.cfs_quota_us", quota}};
}

void add_io_limits(settings& to, const io_limit& limit, int version) {
  struct entry {
    const char *v2, *v1;
    std::optional<std::uint64_t> value;
  };
  const entry entries[] = {
    {" rbps=", "blkio.throttle.read_bps_device", limit.read_bytes},
    {" wbps=", "blkio.throttle.write_bps_device", limit.write_bytes},
    {" riops=", "blkio.throttle.read_iops_device", limit.read_operations},
    {" wiops=", "blkio.throttle.write_iops_device", limit.write_operations},
  };
  const auto device = device_number(limit.device);
  auto line = device;
  for (const auto& [v2, v1, value] : entries) {
    if (!value)
      continue;
    line += v2 + std::to_string(*value);
    if (version == 1)
      to.push_back({v1, device + " " + std::to_string(*value)});
  }
  if (version == 2)
    to.push_back({"io.max", line});
}

} // namespace

void validate(const cgroup_options& options) {
  refuse_zero("limits.memory", options.memory);
  refuse_zero("limits.pids", options.pids);
  if (options.cpu && !(*options.cpu >= least_cpu && *options.cpu <= most_cpu))
    throw option_error("limits.cpu", text_of(*options.cpu),
                       "must be from 0.001 to 1000000 processors");
  for (const auto& limit : options.io)
    validate(limit);
  for (const auto& name : options.controllers) {
    refuse_nul("cgroup_controllers", name);
    if (name.empty())
      throw option_error("cgroup_controllers", name, "must not be empty");
  }
  validate_places(options);
  const auto wanted = wanted_controllers(options);
  for (const auto& set : options.sets)
    validate(set, wanted);
  if (wanted.empty() && (options.base || options.path))
    throw option_error(options.base ? "cgroup_base" : "cgroup_path",
                       options.base ? *options.base : *options.path,
                       "needs a controller (cgroup_controllers) or a limit");
}

std::vector<wanted_controller> wanted_controllers(const cgroup_options& options) {
  std::vector<wanted_controller> result;
  if (options.memory)
    result.push_back({"memory", "limits.memory", std::to_string(*options.memory)});
  if (options.cpu)
    result.push_back({"cpu", "limits.cpu", text_of(*options.cpu)});
  if (options.pids)
    result.push_back({"pids", "limits.pids", std::to_string(*options.pids)});
  if (!options.io.empty())
    result.push_back({"io", "limits.io", options.io.front().device});
  for (const auto& name : options.controllers)
    if (std::ranges::find(result, name, &wanted_controller::name) == result.end())
      result.push_back({name, "cgroup_controllers", name});
  return result;
}

std::string_view name_in(int version, std::string_view controller) {
  return version == 1 && controller == "io" ? "blkio" : controller;
}

std::vector<cgroup_setting> limits_of(const cgroup_options& options, std::string_view controller,
                                      int version) {
  if (controller == "memory" && options.memory)
    return memory_limits(*options.memory, version);
  if (controller == "cpu" && options.cpu)
    return cpu_limits(*options.cpu, version);
  if (controller == "pids" && options.pids)
    return {{"pids.max", std::to_string(*options.pids)}};
  settings result;
  if (controller == "io")
    for (const auto& limit : options.io)
      add_io_limits(result, limit, version);
  return result;
}

} // namespace penning::io
