#pragma once

#include <penning/supervision/tree_file.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace penning::apps {

/// A supervisor or a worker, as `penning tree` shows it. Words are OTP's.
struct tree_node {
  std::string id;
  std::string type;    ///< "worker" or "supervisor".
  std::string restart; ///< "permanent", "transient", "temporary"; empty for the root.
  std::string what;    ///< In a file: the program with its arguments, or a supervisor's flags.
  std::string state;   ///< Live: "running", "restarting" or "undefined", that is not running.
  std::int64_t os_pid = 0;
  std::chrono::milliseconds up{};
  std::uint64_t restarts = 0;
  std::vector<tree_node> children;
};

/// A whole tree: live, or what a file would be.
struct tree_view {
  std::string name;     ///< Of the instance; empty for a file.
  std::int64_t pid = 0; ///< Of its `penning up`; 0 for a file.
  std::string file;
  tree_node root;

  bool is_live() const noexcept { return pid != 0; }
};

/// What the tree of a file would be.
tree_view view_of(const supervision::tree_supervisor& tree, std::string file);

/// A table with the tree drawn in its first column.
std::string to_text(const tree_view& view);

/// One JSON object, in one line without a line end.
std::string to_json(const tree_view& view);

/// Reads what `to_json` has made; nothing if it is something else.
std::optional<tree_view> view_from_json(const std::string& json);

} // namespace penning::apps
