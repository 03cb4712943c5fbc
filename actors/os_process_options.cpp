#include <penning/actors/os_process_options.hpp>
#include <penning/actors/ready_probe.hpp>
#include <penning/actors/timer.hpp>

#include <string>

namespace penning::actors {

namespace {

void validate_window(const char* option, std::size_t bytes) {
  if (bytes == 0)
    throw io::option_error{option, "0", "must be at least 1 byte"};
}

void validate_stop_command(const os_process_options& options) {
  if (!options.stop_command)
    return;
  try {
    io::validate({.program = options.stop_command->program, .args = options.stop_command->args});
  } catch (const io::option_error& error) {
    throw io::option_error{"stop_command", error.value(),
                           "its " + error.option() + " " + error.problem()};
  }
}

void validate_ready(const os_process_options& options) {
  const auto& ready = *options.ready;
  validate(ready);
  validate(from_directory(ready, options.cd)); // a path may have become too long
  const auto* line = std::get_if<stdout_line>(&ready.check);
  if (line && !std::holds_alternative<io::to_owner>(options.stdout))
    throw io::option_error{"ready", line->text,
                           "stdout, of which it would be a line, does not go to the owner"};
}

} // namespace

void validate_stop_signal(const std::optional<signal_choice>& signal) {
  if (!signal || signal_number(*signal))
    return;
  const auto* name = std::get_if<std::string>(&*signal);
  throw io::option_error{"stop_signal", name ? *name : std::to_string(std::get<int>(*signal)),
                         "no such signal"};
}

void validate_delay_to_sigkill(std::chrono::milliseconds delay) {
  if (delay.count() < 0 || delay > max_delay)
    throw io::option_error{"delay_to_sigkill", std::to_string(delay.count()),
                           "must be from 0 to " + std::to_string(max_delay.count()) + " ms"};
}

void validate(const os_process_options& options) {
  io::validate(options);
  validate_delay_to_sigkill(options.delay_to_sigkill);
  validate_window("stdio_window", options.stdio_window);
  validate_window("stdin_window", options.stdin_window.value_or(1));
  validate_window("stdout_window", options.stdout_window.value_or(1));
  validate_window("stderr_window", options.stderr_window.value_or(1));
  validate(options.stdout_delivery, "stdout_delivery");
  validate(options.stderr_delivery, "stderr_delivery");
  validate_stop_signal(options.stop_signal);
  validate_stop_command(options);
  if (options.ready)
    validate_ready(options);
}

os_process_options options_of_helper(const os_process_options& of, const command_line& command) {
  os_process_options result;
  result.program = command.program;
  result.args = command.args;
  result.cd = of.cd;
  result.env = of.env;
  result.clear_env = of.clear_env;
  result.uid = of.uid;
  result.gid = of.gid;
  result.groups = of.groups;
  result.allow_root = of.allow_root;
  result.umask = of.umask;
  result.nice = of.nice;
  result.rlimits = of.rlimits;
  result.capabilities = of.capabilities;
  result.no_new_privs = of.no_new_privs;
  result.delay_to_sigkill = of.delay_to_sigkill;
  return result;
}

term bad_option(const io::option_error& error) {
  const auto& name = error.option();
  return tuple_of("bad_option"_a, atom::valid(name) ? term{atom{name}} : term{name}, error.value(),
                  error.problem());
}

} // namespace penning::actors
