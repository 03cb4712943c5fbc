#include <penning/actors/os_process_words.hpp>

#include <penning/actors/cgroup_words.hpp>
#include <penning/actors/launch_words.hpp>
#include <penning/actors/timer.hpp>

namespace penning::actors {

namespace {

using options = os_process_options;
using value = option_value;

io::cgroup_options& group(options& o) {
  return o.cgroup ? *o.cgroup : o.cgroup.emplace();
}

std::chrono::milliseconds time(const value& v) {
  return std::chrono::milliseconds{v.whole<std::int64_t>(0, max_delay.count())};
}

std::size_t window(const value& v) {
  return v.whole<std::size_t>(1);
}

std::string delimiter(const value& v) {
  auto bytes = v.bytes();
  if (bytes.empty())
    v.refuse("must not be empty");
  return bytes;
}

const option_table<delivery> delivery_options{
  {"delimiter", [](delivery& d, const value& v) { d.delimiter = delimiter(v); }},
  {"max_length",
   [](delivery& d, const value& v) { d.max_length = v.whole<std::size_t>(1, delivery::longest); }},
};

delivery delivery_from(const value& v) {
  using enum delivery::kind;
  if (v.value().is<map>() || (v.value().is<list>() && !v.parts().empty())) {
    delivery result{.what = lines};
    set_options(result, v, delivery_options);
    if (!result.delimiter.empty())
      result.what = records;
    return result;
  }
  return {.what = v.one_of<delivery::kind>({{"bytes", bytes}, {"lines", lines}},
                                           "a map of delimiter and max_length")};
}

std::vector<int> exit_codes(const value& v) {
  std::vector<int> codes;
  for (const auto& each : v.items())
    codes.push_back(each.whole<int>(0, 255));
  return codes;
}

signal_choice signal(const value& v) {
  if (v.value().type() == term_type::integer)
    return v.whole<int>();
  return v.word("must be a number or a name");
}

command_line command_from(const value& v) {
  auto words = v.texts();
  if (words.empty())
    v.refuse("must be a list of a program and its arguments");
  return {words.front(), {words.begin() + 1, words.end()}};
}

io::orphan_policy orphans(const value& v) {
  using enum io::orphan_policy;
  return v.one_of<io::orphan_policy>({{"kill", kill}, {"keep", keep}});
}

io::containment_kind containment(const value& v) {
  using enum io::containment_kind;
  return v.one_of<io::containment_kind>({{"process_group", process_group},
                                         {"subreaper", subreaper},
                                         {"cgroup", cgroup},
                                         {"pid_namespace", pid_namespace}});
}

const option_table<options> table{
  {"allow_root", [](options& o, const value& v) { o.allow_root = v.flag(); }},
  {"arg0", [](options& o, const value& v) { o.arg0 = v.text(); }},
  {"capabilities", [](options& o, const value& v) { o.capabilities = capabilities_from(v); }},
  {"cd", [](options& o, const value& v) { o.cd = v.text(); }},
  {"cgroup_base", [](options& o, const value& v) { group(o).base = v.text(); }},
  {"cgroup_controllers", [](options& o, const value& v) { group(o).controllers = v.words(); }},
  {"cgroup_path", [](options& o, const value& v) { group(o).path = v.text(); }},
  {"cgroup_sets", [](options& o, const value& v) { group(o).sets = cgroup_sets_from(v); }},
  {"clear_env", [](options& o, const value& v) { o.clear_env = v.flag(); }},
  {"delay_to_sigkill", [](options& o, const value& v) { o.delay_to_sigkill = time(v); }},
  {"env", [](options& o, const value& v) { o.env = environment_from(v); }},
  {"gid", [](options& o, const value& v) { o.gid = account_from(v); }},
  {"groups", [](options& o, const value& v) { o.groups = accounts_from(v); }},
  {"limits", [](options& o, const value& v) { set_cgroup_limits(group(o), v); }},
  {"nice", [](options& o, const value& v) { o.nice = v.whole<int>(); }},
  {"no_new_privs", [](options& o, const value& v) { o.no_new_privs = v.flag(); }},
  {"orphans", [](options& o, const value& v) { o.orphans = orphans(v); }},
  {"pid_namespace", [](options& o, const value& v) { o.pid_namespace = v.flag(); }},
  {"pty", [](options& o, const value& v) { o.pty = pty_from(v); }},
  {"ready", [](options& o, const value& v) { o.ready = readiness_from_term(v.value()); }},
  {"require_containment",
   [](options& o, const value& v) { o.require_containment = containment(v); }},
  {"rlimits", [](options& o, const value& v) { o.rlimits = limits_from(v); }},
  {"session", [](options& o, const value& v) { o.session = v.flag(); }},
  {"stderr", [](options& o, const value& v) { o.stderr = target_from(v); }},
  {"stderr_delivery", [](options& o, const value& v) { o.stderr_delivery = delivery_from(v); }},
  {"stderr_window", [](options& o, const value& v) { o.stderr_window = window(v); }},
  {"stdin", [](options& o, const value& v) { o.stdin = target_from(v); }},
  {"stdin_limit", [](options& o, const value& v) { o.stdin_limit = v.whole<std::size_t>(); }},
  {"stdin_window", [](options& o, const value& v) { o.stdin_window = window(v); }},
  {"stdio_window", [](options& o, const value& v) { o.stdio_window = window(v); }},
  {"stdout", [](options& o, const value& v) { o.stdout = target_from(v); }},
  {"stdout_delivery", [](options& o, const value& v) { o.stdout_delivery = delivery_from(v); }},
  {"stdout_window", [](options& o, const value& v) { o.stdout_window = window(v); }},
  {"stop_command", [](options& o, const value& v) { o.stop_command = command_from(v); }},
  {"stop_signal", [](options& o, const value& v) { o.stop_signal = signal(v); }},
  {"success_exit_codes", [](options& o, const value& v) { o.success_exit_codes = exit_codes(v); }},
  {"uid", [](options& o, const value& v) { o.uid = account_from(v); }},
  {"umask", [](options& o, const value& v) { o.umask = v.whole<std::uint32_t>(); }},
};

const option_table<adopt_options> adopt_table{
  {"delay_to_sigkill", [](auto& o, auto& v) { o.delay_to_sigkill = time(v); }},
  {"start_time", [](auto& o, auto& v) { o.start_time = v.template whole<std::uint64_t>(); }},
  {"stop_signal", [](auto& o, auto& v) { o.stop_signal = signal(v); }},
  {"success_exit_codes", [](auto& o, auto& v) { o.success_exit_codes = exit_codes(v); }},
};

} // namespace

adopt_options adopt_options_from(const term& pid, const term& entries) {
  adopt_options result;
  result.pid = value{"os_pid", pid}.whole<pid_t>();
  set_options(result, value{"", entries}, adopt_table);
  return result;
}

void set_command(os_process_options& options, const term& program, const term& args) {
  options.program = value{"program", program}.text();
  options.args = value{"args", args}.texts();
}

void set_option(os_process_options& options, std::string_view name, const term& given) {
  set_option(options, name, value{std::string{name}, given}, table);
}

void set_options(os_process_options& options, const term& entries) {
  set_options(options, value{"", entries}, table);
}

std::vector<std::string_view> option_names() {
  std::vector<std::string_view> names;
  for (const auto& [name, setter] : table)
    names.push_back(name);
  return names;
}

} // namespace penning::actors
