#include <penning/supervision/tree_program.hpp>

#include <penning/actors/os_process_words.hpp>
#include <penning/supervision/tree_options.hpp>

#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penning::supervision::detail {

namespace {

using actors::term;

term to_term(const toml::node& node);

term to_term(const toml::array& array) {
  std::vector<term> elements;
  for (const auto& each : array)
    elements.push_back(to_term(each));
  return actors::list{std::move(elements)};
}

term to_term(const toml::table& table) {
  std::vector<std::pair<term, term>> entries;
  for (const auto& [key, value] : table)
    entries.emplace_back(key.str(), to_term(value));
  return actors::map{entries};
}

/// What is no term (a date, a NaN) becomes one that no option takes: a tuple of one.
term to_term(const toml::node& node) {
  if (const auto* array = node.as_array())
    return to_term(*array);
  if (const auto* table = node.as_table())
    return to_term(*table);
  if (auto text = node.value_exact<std::string>())
    return std::move(*text);
  if (auto number = node.value_exact<std::int64_t>())
    return *number;
  if (auto flag = node.value_exact<bool>())
    return *flag;
  if (auto number = node.value_exact<double>(); number && std::isfinite(*number))
    return *number;
  return actors::tuple_of(shown(node));
}

/// A value of the file with the path to it; that of an array's element is the array's.
struct place {
  std::string path;
  const toml::node& node;
  bool is_element = false;

  std::string text() const {
    return path + (is_element ? " has the element " : " = ") + shown(node);
  }
};

std::vector<place> inside(const place& outer) {
  std::vector<place> result;
  if (const auto* table = outer.node.as_table())
    for (const auto& [key, node] : *table)
      result.push_back({outer.path + '.' + std::string{key.str()}, node});
  if (const auto* array = outer.node.as_array())
    for (const auto& node : *array)
      result.push_back({outer.path, node, true});
  return result;
}

/// Where `path` leads to, or as far as it does.
place follow(const place& from, std::string_view path) {
  for (const auto& inner : inside(from))
    if (!inner.is_element && (path == inner.path || path.starts_with(inner.path + '.')))
      return follow(inner, path);
  return from;
}

/// The first value in there that is spelled so, as a term or as the text itself.
std::optional<place> find(const place& from, const std::string& value) {
  if (to_string(to_term(from.node)) == value || from.node.value_exact<std::string>() == value)
    return from;
  for (const auto& inner : inside(from))
    if (const auto found = find(inner, value))
      return found;
  return std::nullopt;
}

/// What goes wrong in `set` with the value of `key`, is noted.
template <class Set>
void attempt(table_reader& in, std::string_view key, Set set) {
  try {
    set();
  } catch (const io::option_error& error) {
    const auto named = follow({std::string{key}, *in.table().get(key)}, error.option());
    const auto refused = find(named, error.value()).value_or(named);
    in.note(refused.node.source(), refused.text() + ": " + error.problem());
  }
}

void read_command(table_reader& in, actors::os_process_options& options) {
  if (const auto* program = in.table().get("program"))
    attempt(in, "program", [&] { set_command(options, to_term(*program), actors::list{}); });
  if (const auto* args = in.table().get("args"))
    attempt(in, "args", [&] { set_command(options, options.program, to_term(*args)); });
  if (!in.table().contains("program"))
    in.note(in.table().source(), "no program");
  else if (options.program.empty() && in.table()["program"].is_string())
    in.refuse("program", "must not be empty");
}

} // namespace

tree_program read_program(table_reader& in, std::chrono::milliseconds delay_to_sigkill) {
  tree_program result;
  result.options.delay_to_sigkill = delay_to_sigkill;
  read_command(in, result.options);
  for (const auto name : actors::option_names())
    if (const auto* node = in.table().get(name))
      if (const auto value = name == "ready" ? read_readiness(in) : std::optional{to_term(*node)})
        attempt(in, name, [&] { set_option(result.options, name, *value); });
  for (const auto& [key, node] : in.table())
    result.at.emplace(key.str(), position(node.source()));
  return result;
}

} // namespace penning::supervision::detail
