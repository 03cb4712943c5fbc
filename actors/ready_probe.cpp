#include <penning/actors/posix_name.hpp>
#include <penning/actors/ready_probe.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <variant>

namespace penning::actors {

namespace {

using namespace std::chrono_literals;

constexpr auto next_look = 10ms; // at a connection that is in progress

/// What no later attempt changes: the system has no such family (or no such zone), or the path is
/// longer than any.
bool is_final(std::error_code error) {
  return error == std::errc::address_family_not_supported || error == std::errc::invalid_argument
         || error == std::errc::filename_too_long;
}

/// Whether a start failed of want of something that comes back.
bool may_start_later(const term& reason) {
  static constexpr std::array<std::string_view, 5> passing{"eagain", "emfile", "enfile", "enomem",
                                                           "etxtbsy"};
  const auto* pair = reason.get_if<tuple>();
  const auto* name = pair && pair->size() == 2 ? (*pair)[0].get_if<atom>() : nullptr;
  return name && std::ranges::find(passing, name->text()) != passing.end();
}

tuple not_ready(const term& reason) {
  return tuple_of("not_ready"_a, reason);
}

std::string shown(const ready_check& check) {
  return to_string(to_term(readiness{check}));
}

/// Passed if one has, in progress if one is; an error that no time changes only if all have one.
std::error_code common_outcome(std::vector<io::connect_attempt>& connections) {
  std::error_code result;
  for (auto& each : connections) {
    const auto outcome = each.look();
    if (!outcome)
      return {};
    if (!result || is_final(result) || outcome == std::errc::operation_in_progress)
      result = outcome;
  }
  return result;
}

std::error_code find_file(const std::string& path) {
  return {::access(path.c_str(), F_OK) == 0 ? 0 : errno, std::system_category()};
}

std::vector<io::socket_address> socket_addresses(const ready_check& check) {
  if (const auto* tcp = std::get_if<tcp_accepts>(&check))
    return io::tcp_addresses(tcp->host, tcp->port);
  if (const auto* unix_socket = std::get_if<unix_accepts>(&check))
    return {io::unix_address(unix_socket->path)};
  return {};
}

os_process_options options_of_command(const ready_check& check, const os_process_options& of) {
  const auto* command = std::get_if<command_succeeds>(&check);
  if (!command)
    return {};
  return options_of_helper(of, {command->program, command->args});
}

void prepend(const std::string& cd, std::string& path) {
  path = (std::filesystem::path{cd} / path).string();
}

} // namespace

readiness from_directory(readiness ready, const std::string& cd) {
  if (auto* file = std::get_if<file_exists>(&ready.check))
    prepend(cd, file->path);
  auto* unix_socket = std::get_if<unix_accepts>(&ready.check);
  if (unix_socket && !unix_socket->path.starts_with('@')) {
    prepend(cd, unix_socket->path);
    if (unix_socket->path.starts_with('@')) // a directory's name, and no abstract socket
      unix_socket->path.insert(0, "./");
  }
  return ready;
}

ready_probe::ready_probe(caf::actor_config& config, io::child_host& host,
                         const os_process_options& of)
    : process{config},
      host_{host},
      ready_{from_directory(of.ready.value(), of.cd)},
      command_options_{options_of_command(ready_.check, of)},
      addresses_{socket_addresses(ready_.check)} {}

start_result ready_probe::init() {
  trap_exit(true);
  attempt();
  return {};
}

void ready_probe::attempt() {
  if (std::holds_alternative<command_succeeds>(ready_.check))
    return run_command();
  connections_ = std::vector<io::connect_attempt>(addresses_.begin(), addresses_.end());
  run_after(this, ready_.interval, [this] {
    if (look()) // for the last time: what is still in progress is given up
      attempt();
  });
  look();
}

bool ready_probe::look() {
  cancel_timer(this, look_);
  const auto error = outcome();
  if (!error)
    exit(atoms::normal());
  else if (is_final(error))
    exit(not_ready(tuple_of(posix_name(error), shown(ready_.check) + ": " + error.message())));
  else if (error == std::errc::operation_in_progress)
    look_ = run_after(this, next_look, [this] { look(); });
  return error && !is_final(error);
}

std::error_code ready_probe::outcome() {
  if (const auto* file = std::get_if<file_exists>(&ready_.check))
    return find_file(file->path);
  return common_outcome(connections_);
}

// -- a command ------------------------------------------------------------------------------------

void ready_probe::run_command() {
  auto command = start_link<os_process>(host_, caf::actor{this}, command_options_);
  command_ = std::move(command.pid);
  if (command_)
    actors::send(this, command_, close_stdin{});
  else
    on_start_failed(command.result.value);
}

void ready_probe::handle_ack(const caf::actor_addr&, const start_result& result) {
  if (result.how == start_result::kind::stop)
    on_start_failed(result.value);
}

void ready_probe::on_start_failed(const term& reason) {
  if (!end_reason_ && !may_start_later(reason))
    end_reason_ = not_ready(reason);
  on_command_end(reason);
}

void ready_probe::on_command_end(const term& reason) {
  command_ = nullptr;
  if (end_reason_)
    exit(*end_reason_);
  else if (reason == atoms::normal())
    exit(reason);
  else
    run_after(this, ready_.interval, [this] { attempt(); });
}

// -- the end --------------------------------------------------------------------------------------

void ready_probe::handle_exit(const caf::actor_addr& from, const term& reason) {
  if (command_ && from == command_.address())
    on_command_end(reason);
  else if (from == parent() || reason != atoms::normal())
    end_with(atoms::shutdown(), reason);
}

void ready_probe::handle_kill() {
  end_with(atoms::kill(), atoms::killed());
}

void ready_probe::end_with(const term& how, const term& reason) {
  if (!command_)
    return exit(reason);
  end_reason_ = reason; // its end ends this probe
  exit(command_, how);
}

void ready_probe::terminate(const term&) {
  connections_.clear();
  command_ = nullptr;
}

} // namespace penning::actors
