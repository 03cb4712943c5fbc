#include <penning/actors/cgroup_words.hpp>

namespace penning::actors {

namespace {

io::cgroup_set set_from(const option_value& value) {
  const auto parts = value.parts();
  if (parts.size() != 3)
    value.refuse("must be a controller, a key and a value");
  return {parts[0].word(), parts[1].word(), parts[2].word()};
}

std::uint64_t count(const option_value& value) {
  return value.whole<std::uint64_t>();
}

const option_table<io::io_limit> device_table{
  {"device", [](auto& limit, auto& value) { limit.device = value.text(); }},
  {"read_bytes", [](auto& limit, auto& value) { limit.read_bytes = count(value); }},
  {"read_operations", [](auto& limit, auto& value) { limit.read_operations = count(value); }},
  {"write_bytes", [](auto& limit, auto& value) { limit.write_bytes = count(value); }},
  {"write_operations", [](auto& limit, auto& value) { limit.write_operations = count(value); }},
};

std::vector<io::io_limit> devices_from(const option_value& value) {
  std::vector<io::io_limit> limits;
  for (const auto& each : value.items())
    set_options(limits.emplace_back(), each, device_table);
  return limits;
}

const option_table<io::cgroup_options> limit_table{
  {"cpu", [](auto& group, auto& value) { group.cpu = value.number(); }},
  {"io", [](auto& group, auto& value) { group.io = devices_from(value); }},
  {"memory", [](auto& group, auto& value) { group.memory = count(value); }},
  {"pids", [](auto& group, auto& value) { group.pids = count(value); }},
};

} // namespace

std::vector<io::cgroup_set> cgroup_sets_from(const option_value& value) {
  std::vector<io::cgroup_set> sets;
  for (const auto& each : value.items())
    sets.push_back(set_from(each));
  return sets;
}

void set_cgroup_limits(io::cgroup_options& options, const option_value& value) {
  set_options(options, value, limit_table);
}

} // namespace penning::actors
