#include "log_event.hpp"
#include "tree_view.hpp"

#include <algorithm>
#include <array>
#include <ranges>
#include <string_view>

namespace penning::apps {

namespace {

using row = std::vector<std::string>;

/// Columns of a terminal: one per character, which is right for the lines and for most ids.
std::size_t width_of(std::string_view text) {
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  return static_cast<std::size_t>(std::ranges::count_if(text, begins));
}

std::string number_or_none(std::uint64_t number, bool there) {
  return there ? std::to_string(number) : "";
}

row row_of(const tree_node& node, const std::string& lines, bool live) {
  if (!live)
    return {lines + node.id, node.type, node.restart, node.what};
  const bool runs = node.state == "running";
  return {lines + node.id,
          node.type,
          node.restart,
          node.state == "undefined" ? "not running" : node.state,
          number_or_none(static_cast<std::uint64_t>(node.os_pid), runs && node.os_pid != 0),
          runs ? describe(node.up) : "",
          number_or_none(node.restarts, !node.restart.empty())};
}

/// `lines` is drawn left of the node itself, `below` left of all that is under it.
void add_rows(const tree_node& node, const std::string& lines, const std::string& below, bool live,
              std::vector<row>& rows) {
  rows.push_back(row_of(node, lines, live));
  for (const auto& child : node.children) {
    const bool last = &child == &node.children.back();
    add_rows(child, below + (last ? "└─ " : "├─ "), below + (last ? "   " : "│  "), live, rows);
  }
}

std::string aligned(const std::vector<row>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& each : rows)
    for (std::size_t i = 0; i < each.size(); ++i)
      widths[i] = std::max(widths[i], width_of(each[i]));
  std::string text;
  for (const auto& each : rows) {
    std::string line;
    for (std::size_t i = 0; i < each.size(); ++i)
      line += each[i] + std::string(widths[i] - width_of(each[i]) + 2, ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

} // namespace

std::string to_text(const tree_view& view) {
  std::vector<row> rows;
  if (view.is_live())
    rows.push_back({view.name, "TYPE", "RESTART", "STATE", "PID", "UP", "RESTARTS"});
  else
    rows.push_back({"", "TYPE", "RESTART", "WHAT"});
  add_rows(view.root, "", "", view.is_live(), rows);
  return aligned(rows);
}

} // namespace penning::apps
