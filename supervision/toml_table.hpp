#pragma once

// Not installed: toml++ stays within the sources of tree_file.

#include <penning/supervision/tree_file.hpp>

#include <toml++/toml.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penning::supervision::detail {

file_position position(const toml::source_region& source);

/// A value as it may have stood in the file.
std::string shown(const toml::node& node);

/// "a string", for errors.
std::string shown_type(toml::node_type type);

/// One table of the file with the keys that it may have. What is wrong is noted, and the default
/// taken instead, so that one look at the errors shows them all.
class table_reader {
 public:
  /// `name` comes first in each error of this table.
  table_reader(const toml::table& table, std::string name, std::vector<tree_mistake>& found)
      : table_{table},
        name_{std::move(name)},
        found_{found} {}

  void allow_only(const std::vector<std::string_view>& keys);

  /// The key's value, nothing if there is none or it is no `T`, which is noted.
  template <class T>
  std::optional<T> get(std::string_view key, const char* wanted) {
    const auto* node = table_.get(key);
    if (!node)
      return std::nullopt;
    auto value = node->value_exact<T>();
    if (!value)
      wrong_type(key, *node, wanted);
    return value;
  }

  std::optional<std::string> text(std::string_view key) {
    return get<std::string>(key, "a string");
  }

  std::optional<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max);

  /// Calls `take(value, node)` for each element of an array that is a `T`.
  template <class T, class Take>
  void each(std::string_view key, const char* wanted, Take take) {
    const auto* node = table_.get(key);
    if (!node)
      return;
    const auto* array = node->as_array();
    if (!array)
      return wrong_type(key, *node, "an array");
    for (const auto& element : *array) {
      if (auto value = element.value_exact<T>())
        take(*value, element);
      else
        wrong_element(key, element, wanted);
    }
  }

  /// The table of a key, whose errors have the key in their names; nothing if there is none, or if
  /// it is no table, which is noted.
  std::optional<table_reader> inner(std::string_view key);

  /// The key's value is none of those that it may have.
  void refuse(std::string_view key, const std::string& problem);
  void wrong_type(std::string_view key, const toml::node& node, const std::string& wanted);
  void wrong_element(std::string_view key, const toml::node& node, const std::string& wanted);
  void note(const toml::source_region& at, const std::string& problem);

  const toml::table& table() const { return table_; }
  const std::string& name() const { return name_; }
  std::vector<tree_mistake>& found() { return found_; }

  /// Where the key's value stands; the table, if it has none.
  file_position at(std::string_view key) const;

 private:
  const toml::table& table_;
  std::string name_;
  std::vector<tree_mistake>& found_;
};

} // namespace penning::supervision::detail
