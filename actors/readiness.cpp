#include <penning/actors/readiness.hpp>

#include <penning/actors/option_value.hpp>
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

std::uint16_t port_number(const option_value& value) {
  const auto port = value.value().as<std::uint16_t>();
  if (!port)
    value.refuse("a port must be from 1 to 65535");
  return *port;
}

ready_check check_from(const option_value& value) {
  const auto is = [&](std::string_view kind, std::size_t size) {
    return value.value().is_tuple(kind, size);
  };
  const auto parts = value.parts();
  if (is("stdout", 2))
    return stdout_line{parts[1].bytes()};
  if (is("tcp", 3))
    return tcp_accepts{parts[1].bytes(), port_number(parts[2])};
  if (is("unix", 2))
    return unix_accepts{parts[1].bytes()};
  if (is("file", 2))
    return file_exists{parts[1].bytes()};
  if (is("command", 3))
    return command_succeeds{parts[1].bytes(), parts[2].texts()};
  value.refuse("must be {stdout, Text}, {tcp, Host, Port}, {unix, Path}, {file, Path} "
               "or {command, Program, Args}");
}

struct check_options {
  std::optional<ready_check> check;
  std::chrono::milliseconds interval = readiness{}.interval;
};

const option_table<check_options> table{
  {"check", [](auto& options, auto& value) { options.check = check_from(value); }},
  {"interval",
   [](auto& options, auto& value) {
     options.interval = std::chrono::milliseconds{value.template whole<std::int64_t>()};
   }},
};

readiness from_options(const option_value& value) {
  check_options options;
  set_options(options, value, table);
  if (!options.check)
    value.refuse("has no check");
  return {std::move(*options.check), options.interval};
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
  const option_value given{"ready", value};
  const bool has_options = value.is<map>() || value.is<list>();
  auto result = has_options ? from_options(given) : readiness{check_from(given)};
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
