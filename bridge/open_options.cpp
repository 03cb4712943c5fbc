#include <penning/bridge/open_options.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace penning::bridge {

namespace {

using actors::os_process_options;
using actors::term;

[[noreturn]] void refuse(std::string_view option, const term& value, std::string problem) {
  throw io::option_error{std::string{option}, to_string(value), std::move(problem)};
}

std::string text(std::string_view option, const term& value) {
  auto bytes = actors::iodata_to_bytes(value);
  if (!bytes)
    refuse(option, value, "must be a binary or iodata");
  return std::move(*bytes);
}

std::int64_t whole(std::string_view option, const term& value) {
  const auto number = value.as<std::int64_t>();
  if (!number)
    refuse(option, value, "must be an integer");
  return *number;
}

std::vector<std::string> texts(std::string_view option, const term& value) {
  const auto items = value.as<std::vector<term>>();
  if (!items)
    refuse(option, value, "must be a list");
  std::vector<std::string> result;
  for (const auto& item : *items)
    result.push_back(text(option, item));
  return result;
}

/// `false`, as in Erlang's ports, and `nil` unset a variable.
io::environment_change variable(const term& pair) {
  const auto found = match(pair, actors::bind<term>, actors::bind<term>);
  if (!found)
    refuse("env", pair, "must be a pair of a name and a value");
  const auto& [name, value] = *found;
  if (value.is_atom("false") || value.is_atom("nil"))
    return {text("env", name), std::nullopt};
  return {text("env", name), text("env", value)};
}

std::size_t window(std::string_view option, const term& value) {
  const auto bytes = whole(option, value);
  if (bytes < 1)
    refuse(option, value, "must be at least 1 byte");
  return static_cast<std::size_t>(bytes);
}

using setter = void (*)(os_process_options&, std::string_view option, const term& value);

const std::map<std::string_view, setter> setters{
  {"arg0", [](auto& o, auto name, auto& value) { o.arg0 = text(name, value); }},
  {"cd", [](auto& o, auto name, auto& value) { o.cd = text(name, value); }},
  {"delay_to_sigkill",
   [](auto& o, auto name, auto& value) {
     o.delay_to_sigkill = std::chrono::milliseconds{whole(name, value)};
   }},
  {"env",
   [](auto& o, auto name, auto& value) {
     const auto pairs = value.template as<std::vector<term>>();
     if (!pairs)
       refuse(name, value, "must be a list of pairs");
     for (const auto& pair : *pairs)
       o.env.push_back(variable(pair));
   }},
  {"ready", [](auto& o, auto, auto& value) { o.ready = actors::readiness_from_term(value); }},
  {"stdio_window", [](auto& o, auto name, auto& value) { o.stdio_window = window(name, value); }},
};

void set(os_process_options& options, const term& key, const term& value) {
  const auto* name = key.get_if<actors::atom>();
  const auto found = name ? setters.find(name->text()) : setters.end();
  if (found == setters.end())
    refuse(name ? name->text() : to_string(key), value, "is not an option");
  found->second(options, found->first, value);
}

} // namespace

os_process_options to_options(const term& program, const term& args, const term& options) {
  os_process_options result;
  result.program = text("program", program);
  result.args = texts("args", args);
  const auto* entries = options.get_if<actors::map>();
  if (!entries)
    refuse("options", options, "must be a map");
  for (const auto& [key, value] : *entries)
    set(result, key, value);
  return result;
}

} // namespace penning::bridge
