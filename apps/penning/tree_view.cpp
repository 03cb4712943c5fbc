#include "tree_view.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace penning::apps {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using supervision::child_type;
using supervision::tree_child;
using supervision::tree_program;
using supervision::tree_supervisor;

// -- from a file ----------------------------------------------------------------------------------

/// A word as a shell would have to be given it.
std::string quoted(const std::string& word) {
  constexpr std::string_view plain =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    "%+,-./:=@_";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos)
    return word;
  std::string result = "'";
  for (char c : word)
    result += c == '\'' ? "'\\''" : c == '\n' ? "\\n" : std::string(1, c);
  return result + "'";
}

std::string describe(const tree_program& program) {
  auto text = quoted(program.options.program);
  for (const auto& arg : program.options.args)
    text.append(" ").append(quoted(arg));
  return text;
}

std::string describe(const tree_supervisor& tree) {
  return to_string(tree.flags.strategy) + ", at most " + std::to_string(tree.flags.intensity)
         + " restarts in " + std::to_string(tree.flags.period.count()) + " s";
}

std::vector<tree_node> nodes_of(const tree_supervisor& tree);

tree_node node_of(const tree_child& child) {
  tree_node node;
  node.id = child.id;
  node.restart = to_string(child.restart);
  node.what = std::visit([](const auto& what) { return describe(what); }, child.what);
  const auto* nested = std::get_if<tree_supervisor>(&child.what);
  node.type = to_string(nested ? child_type::supervisor : child_type::worker);
  if (nested)
    node.children = nodes_of(*nested);
  return node;
}

std::vector<tree_node> nodes_of(const tree_supervisor& tree) {
  std::vector<tree_node> nodes;
  std::ranges::transform(tree.children, std::back_inserter(nodes), node_of);
  return nodes;
}

// -- JSON -----------------------------------------------------------------------------------------

ordered_json json_of(const tree_node& node, bool live) {
  ordered_json result{{"id", node.id}, {"type", node.type}};
  if (!node.restart.empty())
    result["restart"] = node.restart;
  if (live) {
    result["state"] = node.state;
    if (node.os_pid != 0)
      result["os_pid"] = node.os_pid;
    result["up_ms"] = node.up.count();
    result["restarts"] = node.restarts;
  } else {
    result["what"] = node.what;
  }
  if (node.type == "supervisor") {
    auto& children = result["children"] = ordered_json::array();
    for (const auto& child : node.children)
      children.push_back(json_of(child, live));
  }
  return result;
}

tree_node node_from(const json& value) {
  tree_node node;
  node.id = value.at("id");
  node.type = value.at("type");
  node.restart = value.value("restart", "");
  node.what = value.value("what", "");
  node.state = value.value("state", "");
  node.os_pid = value.value("os_pid", std::int64_t{0});
  node.up = std::chrono::milliseconds{value.value("up_ms", std::int64_t{0})};
  node.restarts = value.value("restarts", std::uint64_t{0});
  if (value.contains("children"))
    std::ranges::transform(value["children"], std::back_inserter(node.children), node_from);
  return node;
}

} // namespace

tree_view view_of(const tree_supervisor& tree, std::string file) {
  tree_view view;
  view.root.id = file;
  view.root.type = to_string(child_type::supervisor);
  view.root.what = describe(tree);
  view.root.children = nodes_of(tree);
  view.file = std::move(file);
  return view;
}

std::string to_json(const tree_view& view) {
  ordered_json result;
  if (view.is_live()) {
    result["name"] = view.name;
    result["pid"] = view.pid;
  }
  result["file"] = view.file;
  result["tree"] = json_of(view.root, view.is_live());
  return result.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::optional<tree_view> view_from_json(const std::string& text) {
  try {
    const auto value = json::parse(text);
    tree_view view;
    view.name = value.value("name", "");
    view.pid = value.value("pid", std::int64_t{0});
    view.file = value.value("file", "");
    view.root = node_from(value.at("tree"));
    return view;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

} // namespace penning::apps
