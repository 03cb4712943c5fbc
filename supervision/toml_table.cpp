#include <penning/supervision/toml_table.hpp>

#include <algorithm>
#include <sstream>

namespace penning::supervision::detail {

file_position position(const toml::source_region& source) {
  return {source.begin.line, source.begin.column};
}

std::string shown(const toml::node& node) {
  std::ostringstream text;
  node.visit([&text](const auto& value) { text << value; });
  return text.str();
}

std::string shown_type(toml::node_type type) {
  switch (type) {
  case toml::node_type::integer: return "an integer";
  case toml::node_type::array: return "an array";
  case toml::node_type::boolean: return "a boolean";
  case toml::node_type::floating_point: return "a floating-point number";
  case toml::node_type::string: return "a string";
  case toml::node_type::table: return "a table";
  default: return "a date or time";
  }
}

void table_reader::allow_only(const std::vector<std::string_view>& keys) {
  for (const auto& [key, node] : table_) {
    if (std::ranges::find(keys, key.str()) != keys.end())
      continue;
    std::string known;
    for (auto each : keys)
      known += (known.empty() ? "" : ", ") + std::string{each};
    note(key.source(), "unknown key \"" + std::string{key.str()} + "\"; known here: " + known);
  }
}

std::optional<std::int64_t> table_reader::integer(std::string_view key, std::int64_t min,
                                                  std::int64_t max) {
  const auto value = get<std::int64_t>(key, "an integer");
  if (!value || (*value >= min && *value <= max))
    return value;
  if (*value < 0 && min == 0)
    refuse(key, "must not be negative");
  else
    refuse(key, "must be from " + std::to_string(min) + " to " + std::to_string(max));
  return std::nullopt;
}

std::optional<table_reader> table_reader::inner(std::string_view key) {
  const auto* node = table_.get(key);
  if (!node)
    return std::nullopt;
  if (const auto* table = node->as_table())
    return table_reader{*table, (name_.empty() ? "" : name_ + ": ") + std::string{key}, found_};
  wrong_type(key, *node, "a table");
  return std::nullopt;
}

void table_reader::refuse(std::string_view key, const std::string& problem) {
  const auto& node = *table_.get(key);
  note(node.source(), std::string{key} + " = " + shown(node) + ": " + problem);
}

void table_reader::wrong_type(std::string_view key, const toml::node& node,
                              const std::string& wanted) {
  note(node.source(), std::string{key} + " = " + shown(node) + ": must be " + wanted + ", not "
                        + shown_type(node.type()));
}

void table_reader::wrong_element(std::string_view key, const toml::node& node,
                                 const std::string& wanted) {
  note(node.source(), std::string{key} + " has the element " + shown(node) + ": must be " + wanted
                        + ", not " + shown_type(node.type()));
}

void table_reader::note(const toml::source_region& at, const std::string& problem) {
  found_.push_back({position(at), name_.empty() ? problem : name_ + ": " + problem});
}

file_position table_reader::at(std::string_view key) const {
  const auto* node = table_.get(key);
  return position(node ? node->source() : table_.source());
}

} // namespace penning::supervision::detail
