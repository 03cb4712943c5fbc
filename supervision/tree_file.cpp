#include <penning/actors/os_process_words.hpp>
#include <penning/supervision/start_order.hpp>
#include <penning/supervision/toml_table.hpp>
#include <penning/supervision/tree_file.hpp>
#include <penning/supervision/tree_options.hpp>
#include <penning/supervision/tree_program.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>

namespace penning::supervision {

namespace {

using std::chrono::milliseconds;
using mistakes = std::vector<tree_mistake>;
using detail::position;
using detail::shown;
using detail::table_reader;

/// As Erlang limits its times; far from any overflow of a clock.
constexpr std::int64_t max_time = std::numeric_limits<std::uint32_t>::max();
/// "No limit" for SIGKILL to come after: about 50 days.
constexpr milliseconds longest_delay{max_time};

/// The value of `key` among `words`, the first of which is the default.
template <class Enum>
Enum read_word(table_reader& in, std::string_view key, std::initializer_list<Enum> words) {
  const auto given = in.text(key);
  std::string known;
  for (const auto& each : words) {
    if (!given || *given == to_string(each))
      return each;
    known += &each == words.begin() ? "" : &each == words.end() - 1 ? " or " : ", ";
    known += '"' + to_string(each) + '"';
  }
  in.refuse(key, "must be " + known);
  return *words.begin();
}

// -- supervisors ----------------------------------------------------------------------------------

void read_children(table_reader& in, tree_supervisor& out);

sup_flags read_flags(table_reader& in) {
  sup_flags flags;
  flags.strategy = read_word(
    in, "strategy", {strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one});
  const auto limit = std::numeric_limits<std::uint32_t>::max();
  if (auto number = in.integer("intensity", 0, limit))
    flags.intensity = static_cast<std::uint32_t>(*number);
  if (auto number = in.integer("period", 1, max_time / 1000))
    flags.period = std::chrono::seconds{*number};
  flags.auto_shutdown = read_word(
    in, "auto_shutdown",
    {auto_shutdown::never, auto_shutdown::any_significant, auto_shutdown::all_significant});
  return flags;
}

tree_supervisor read_supervisor(table_reader& in) {
  tree_supervisor result;
  result.flags = read_flags(in);
  read_children(in, result);
  return result;
}

// -- programs -------------------------------------------------------------------------------------

/// Without a `delay_to_sigkill`: a time to end in that SIGKILL cuts short is no time.
milliseconds default_delay(table_reader& in, const shutdown_policy& shutdown) {
  if (in.table().contains("shutdown")) {
    if (const auto* time = std::get_if<milliseconds>(&shutdown))
      return *time;
    if (std::holds_alternative<infinity>(shutdown))
      return longest_delay;
  }
  return actors::os_process_options{}.delay_to_sigkill;
}

// -- children -------------------------------------------------------------------------------------

shutdown_policy read_shutdown(table_reader& in, shutdown_policy otherwise) {
  const auto* node = in.table().get("shutdown");
  if (!node)
    return otherwise;
  if (node->is_integer()) {
    const auto time = in.integer("shutdown", 0, max_time);
    return time ? milliseconds{*time} : otherwise;
  }
  const auto word = node->value_exact<std::string>();
  if (word == "brutal_kill")
    return brutal_kill{};
  if (word == "infinity")
    return infinity{};
  in.refuse("shutdown", "must be milliseconds, \"brutal_kill\" or \"infinity\"");
  return otherwise;
}

bool read_significant(table_reader& in, restart_type restart, auto_shutdown mode) {
  const bool significant = in.get<bool>("significant", "true or false").value_or(false);
  if (significant && mode == auto_shutdown::never)
    in.refuse("significant", "its supervisor's auto_shutdown is \"never\"");
  else if (significant && restart == restart_type::permanent)
    in.refuse("significant", "a permanent child cannot be");
  return significant;
}

void check_id(table_reader& in, const std::string& id) {
  const auto is_bad = [](char c) { return c == '/' || (c >= 0 && c < ' ') || c == 127; };
  if (!in.table().contains("id"))
    in.note(in.table().source(), "no id");
  else if (id.empty() && in.table()["id"].is_string())
    in.refuse("id", "must not be empty");
  else if (std::ranges::any_of(id, is_bad))
    in.refuse("id", "must have neither a slash nor a control character");
}

/// The keys of any child, and these.
void allow(table_reader& in, const std::vector<std::string_view>& more) {
  std::vector<std::string_view> keys{"id",       "type",    "restart",     "significant",
                                     "shutdown", "backoff", "start_after", "start_timeout"};
  keys.insert(keys.end(), more.begin(), more.end());
  in.allow_only(keys);
}

tree_child read_child(table_reader& in, auto_shutdown mode) {
  tree_child child;
  child.id = in.text("id").value_or("");
  check_id(in, child.id);
  child.at = position(in.table().source());
  child.restart = read_word(
    in, "restart", {restart_type::permanent, restart_type::transient, restart_type::temporary});
  child.significant = read_significant(in, child.restart, mode);
  child.backoff = detail::read_backoff(in);
  child.start_after = detail::read_start_after(in);
  if (const auto limit = in.integer("start_timeout", 0, max_time))
    child.start_timeout = milliseconds{*limit};
  if (read_word(in, "type", {child_type::worker, child_type::supervisor})
      == child_type::supervisor) {
    allow(in, {"strategy", "intensity", "period", "auto_shutdown", "child"});
    child.shutdown = read_shutdown(in, infinity{});
    child.what = read_supervisor(in);
  } else {
    auto options = actors::option_names();
    options.insert(options.begin(), {"program", "args"});
    allow(in, options);
    child.shutdown = read_shutdown(in, child_spec{}.shutdown_or_default());
    child.what = detail::read_program(in, default_delay(in, child.shutdown));
  }
  return child;
}

/// Of a child whose siblings are known by now.
void check_start_after(table_reader& in, const tree_child& child, const tree_supervisor& parent) {
  for (const auto& id : child.start_after)
    if (std::ranges::find(parent.children, id, &tree_child::id) == parent.children.end())
      in.refuse("start_after", "no child \"" + id + "\" beside it");
}

/// What `start_after` says, or that it goes in a circle.
void put_in_start_order(table_reader& in, std::vector<tree_child>& children) {
  std::vector<child_spec> specs;
  std::unordered_map<term, std::size_t> positions;
  for (const auto& child : children) {
    positions.emplace(child.id, specs.size());
    specs.push_back({.id = child.id,
                     .start = {},
                     .start_after = {child.start_after.begin(), child.start_after.end()}});
  }
  try {
    std::vector<tree_child> ordered;
    for (const auto& spec : in_start_order(std::move(specs)))
      ordered.push_back(std::move(children[positions.at(spec.id)]));
    children = std::move(ordered);
  } catch (const spec_error& error) {
    const auto cycle =
      actors::match(error.reason(), actors::atom{"start_after_cycle"}, actors::bind<term>);
    std::string ids;
    const auto members = std::get<0>(cycle.value()).as<std::vector<std::string>>().value();
    for (const auto& id : members)
      ids += (ids.empty() ? "\"" : ", \"") + id + '"';
    in.note(in.table().source(), "start_after goes in a circle: " + ids);
  }
}

std::string name_of(const toml::table& child, std::size_t number) {
  const auto id = child["id"].value_exact<std::string>();
  return "child " + (id && !id->empty() ? "\"" + *id + "\"" : "number " + std::to_string(number));
}

void read_children(table_reader& in, tree_supervisor& out) {
  const auto* node = in.table().get("child");
  if (!node)
    return in.note(in.table().source(), "a supervisor without a child");
  const auto* array = node->as_array();
  if (!array)
    return in.note(node->source(), "child must be an array of tables, written [[child]]");
  if (array->empty())
    in.note(node->source(), "a supervisor without a child");
  std::unordered_map<std::string, file_position> seen;
  std::vector<table_reader> readers;
  for (const auto& element : *array) {
    const auto* table = element.as_table();
    if (!table) {
      in.note(element.source(), "child has the element " + shown(element) + ": must be a table");
      continue;
    }
    const auto own_name = name_of(*table, out.children.size() + 1);
    table_reader reader{*table, in.name().empty() ? own_name : in.name() + ": " + own_name,
                        in.found()};
    auto child = read_child(reader, out.flags.auto_shutdown);
    const auto [first, is_new] = seen.emplace(child.id, reader.at("id"));
    if (!is_new && !child.id.empty())
      reader.refuse("id", "occurs twice; first in line " + std::to_string(first->second.line));
    out.children.push_back(std::move(child));
    readers.push_back(std::move(reader));
  }
  for (std::size_t i = 0; i < readers.size(); ++i)
    check_start_after(readers[i], out.children[i], out);
  if (in.found().empty())
    put_in_start_order(in, out.children);
}

// -- what the file cannot say by itself -----------------------------------------------------------

void check(const tree_supervisor& tree, const std::string& parent, mistakes& found);

void check(const tree_child& child, const std::string& parent, mistakes& found) {
  const auto name = parent + "child \"" + child.id + "\": ";
  if (const auto* nested = std::get_if<tree_supervisor>(&child.what))
    return check(*nested, name, found);
  const auto& program = std::get<tree_program>(child.what);
  try {
    actors::validate(program.options);
    io::resolve_program(program.options);
  } catch (const io::option_error& error) {
    const auto option = error.option().substr(0, error.option().find('.'));
    const auto place = program.at.find(option);
    const auto at = place == program.at.end() ? child.at : place->second;
    found.push_back({at, name + error.what()});
  }
}

void check(const tree_supervisor& tree, const std::string& parent, mistakes& found) {
  for (const auto& child : tree.children)
    check(child, parent, found);
}

std::string lines(const std::string& file, const mistakes& found) {
  std::string result;
  for (const auto& [at, problem] : found) {
    if (!result.empty())
      result += '\n';
    result +=
      file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + problem;
  }
  return result;
}

mistakes sorted(mistakes found) {
  std::ranges::stable_sort(found, {}, &tree_mistake::at);
  return found;
}

toml::table parse_toml(std::string_view text, const std::string& file) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw tree_file_error{file, {{position(error.source()), std::string{error.description()}}}};
  }
}

} // namespace

tree_file_error::tree_file_error(const std::string& file, std::vector<tree_mistake> mistakes)
    : std::runtime_error{lines(file, mistakes = sorted(std::move(mistakes)))},
      mistakes_{std::move(mistakes)} {}

tree_supervisor parse_tree(std::string_view text, const std::string& file) {
  const auto table = parse_toml(text, file);
  mistakes found;
  table_reader root{table, "", found};
  root.allow_only({"strategy", "intensity", "period", "auto_shutdown", "child"});
  auto tree = read_supervisor(root);
  if (!found.empty())
    throw tree_file_error{file, std::move(found)};
  return tree;
}

void check_programs(const tree_supervisor& tree, const std::string& file) {
  mistakes found;
  check(tree, "", found);
  if (!found.empty())
    throw tree_file_error{file, std::move(found)};
}

} // namespace penning::supervision
