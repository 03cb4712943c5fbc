#include <penning/actors/readiness.hpp>
#include <penning/actors/timer.hpp>

#include <arpa/inet.h>
#include <sys/un.h>

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace penning::actors {

namespace {

[[noreturn]] void refuse(std::string value, std::string problem) {
  throw io::option_error{"ready", std::move(value), std::move(problem)};
}

// -- what may stand in a check --------------------------------------------------------------------

bool is_address(const std::string& host) {
  in6_addr room{};
  const auto* text = host.c_str();
  return host.find('\0') == std::string::npos
         && (::inet_pton(AF_INET, text, &room) == 1 || ::inet_pton(AF_INET6, text, &room) == 1);
}

void validate_path(const std::string& path) {
  if (path.empty())
    refuse(path, "a path must not be empty");
  if (path.find('\0') != std::string::npos)
    refuse(path, "a path cannot contain a NUL byte");
}

struct validator {
  void operator()(const stdout_line& check) const {
    if (check.text.empty())
      refuse(check.text, "the text of a line must not be empty");
    if (check.text.find('\n') != std::string::npos)
      refuse(check.text, "the text of a line cannot contain a newline");
  }

  void operator()(const tcp_accepts& check) const {
    if (check.host != "localhost" && !is_address(check.host))
      refuse(check.host, "a host must be an IPv4 or IPv6 address or localhost");
    if (check.port == 0)
      refuse("0", "a port must be from 1 to 65535");
  }

  void operator()(const unix_accepts& check) const {
    validate_path(check.path);
    constexpr auto longest = sizeof(sockaddr_un::sun_path) - 1;
    if (check.path.size() > longest)
      refuse(check.path, "the path of a socket has at most " + std::to_string(longest) + " bytes");
  }

  void operator()(const file_exists& check) const { validate_path(check.path); }

  void operator()(const command_succeeds& check) const {
    try {
      io::validate({.program = check.program, .args = check.args});
    } catch (const io::option_error& error) {
      refuse(error.value(), "the command's " + error.option() + " " + error.problem());
    }
  }
};

// -- from terms -----------------------------------------------------------------------------------

std::string text(const term& value) {
  auto bytes = iodata_to_bytes(value);
  if (!bytes)
    refuse(to_string(value), "must be a binary or iodata");
  return std::move(*bytes);
}

std::vector<std::string> texts(const term& value) {
  const auto items = value.as<std::vector<term>>();
  if (!items)
    refuse(to_string(value), "the arguments of a command must be a list");
  std::vector<std::string> result;
  for (const auto& item : *items)
    result.push_back(text(item));
  return result;
}

std::uint16_t port_number(const term& value) {
  const auto port = value.as<std::uint16_t>();
  if (!port)
    refuse(to_string(value), "a port must be from 1 to 65535");
  return *port;
}

std::chrono::milliseconds milliseconds(const term& value) {
  const auto count = value.as<std::int64_t>();
  if (!count)
    refuse(to_string(value), "an interval must be a number of milliseconds");
  return std::chrono::milliseconds{*count};
}

ready_check check_from_term(const term& value) {
  const auto* fields = value.get_if<tuple>();
  if (value.is_tuple("stdout", 2))
    return stdout_line{text((*fields)[1])};
  if (value.is_tuple("tcp", 3))
    return tcp_accepts{text((*fields)[1]), port_number((*fields)[2])};
  if (value.is_tuple("unix", 2))
    return unix_accepts{text((*fields)[1])};
  if (value.is_tuple("file", 2))
    return file_exists{text((*fields)[1])};
  if (value.is_tuple("command", 3))
    return command_succeeds{text((*fields)[1]), texts((*fields)[2])};
  refuse(to_string(value), "must be {stdout, Text}, {tcp, Host, Port}, {unix, Path}, {file, Path} "
                           "or {command, Program, Args}");
}

readiness from_map(const term& value, const map& entries) {
  for (const auto& [key, ignored] : entries)
    if (!key.is_atom("check") && !key.is_atom("interval"))
      refuse(to_string(key), "is not a key here; known are check and interval");
  const auto* check = lookup(value, "check");
  if (!check)
    refuse(to_string(value), "has no check");
  readiness result{check_from_term(*check)};
  if (const auto* interval = lookup(value, "interval"))
    result.interval = milliseconds(*interval);
  return result;
}

// -- to terms -------------------------------------------------------------------------------------

struct printer {
  term operator()(const stdout_line& check) const { return tuple_of(atom{"stdout"}, check.text); }
  term operator()(const tcp_accepts& check) const {
    return tuple_of(atom{"tcp"}, check.host, check.port);
  }
  term operator()(const unix_accepts& check) const { return tuple_of(atom{"unix"}, check.path); }
  term operator()(const file_exists& check) const { return tuple_of(atom{"file"}, check.path); }
  term operator()(const command_succeeds& check) const {
    return tuple_of(atom{"command"}, check.program, list_from(check.args));
  }
};

} // namespace

void validate(const readiness& ready) {
  std::visit(validator{}, ready.check);
  if (ready.interval.count() < 1 || ready.interval > max_delay)
    refuse(std::to_string(ready.interval.count()),
           "an interval must be from 1 to " + std::to_string(max_delay.count()) + " ms");
}

readiness readiness_from_term(const term& value) {
  const auto* entries = value.get_if<map>();
  auto result = entries ? from_map(value, *entries) : readiness{check_from_term(value)};
  validate(result);
  return result;
}

term to_term(const readiness& ready) {
  const auto check = std::visit(printer{}, ready.check);
  if (ready.interval == readiness{}.interval)
    return check;
  return map_of({{atom{"check"}, check}, {atom{"interval"}, ready.interval.count()}});
}

} // namespace penning::actors
