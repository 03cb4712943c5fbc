#include "tree_question.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

namespace penning::apps {

namespace {

struct too_late {};

/// A supervisor answers once it is done with what it does, stopping a child say.
constexpr std::chrono::seconds patience{5};

std::string to_word(supervision::child_state state) {
  switch (state) {
  case supervision::child_state::running: return "running";
  case supervision::child_state::restarting: return "restarting";
  default: return "undefined";
  }
}

tree_node node_of(const supervision::child_info& child) {
  tree_node node;
  node.id = id_text(child.id);
  node.type = to_string(child.type);
  node.restart = to_string(child.restart);
  node.state = to_word(child.state);
  return node;
}

} // namespace

} // namespace penning::apps

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::apps::too_late)

namespace penning::apps {

tree_question::tree_question(caf::actor_config& config, caf::actor top, caf::actor journal,
                             tree_node root, answer_function answer)
    : process{config},
      top_{std::move(top)},
      journal_{std::move(journal)},
      answer_{std::move(answer)},
      root_{std::move(root)} {}

actors::start_result tree_question::init() {
  actors::send_after(this, patience, too_late{});
  ask(top_, root_, "");
  return {};
}

caf::message_handler tree_question::receive() {
  return {[this](too_late) { answer(std::nullopt); }};
}

void tree_question::ask(const caf::actor& supervisor, tree_node& node, const std::string& path) {
  ++open_;
  actors::request(this, supervisor, supervision::which_children{})
    .then([this, &node,
           path](const supervision::children& children) { on_children(children, node, path); },
          [this](const caf::error&) { answered(); }); // it has ended meanwhile: no children
}

void tree_question::on_children(const supervision::children& children, tree_node& node,
                                const std::string& path) {
  // Latest start first, as OTP has it; the other way round they are as in the file.
  const auto in_order = std::views::reverse(children.list);
  std::ranges::transform(in_order, std::back_inserter(node.children), node_of);
  auto child_node = node.children.begin(); // these stay where they are from here on
  for (const auto& child : in_order) {
    if (child.pid && child.type == supervision::child_type::supervisor)
      ask(child.pid, *child_node, path_of(path, child_node->id));
    ++child_node;
  }
  answered();
}

void tree_question::answered() {
  if (--open_ != 0)
    return;
  const auto gone = [this](const caf::error&) { answer(std::nullopt); };
  actors::request(this, journal_, describe_children{})
    .then(
      [this](const child_descriptions& known) {
        for (auto& child : root_.children)
          describe(child, child.id, known);
        answer(std::move(root_));
      },
      gone);
}

void tree_question::describe(tree_node& node, const std::string& path,
                             const child_descriptions& known) {
  if (const auto found = known.by_path.find(path); found != known.by_path.end()) {
    const auto& about = found->second;
    const auto up = std::chrono::steady_clock::now() - about.since;
    const bool runs = node.state == to_word(supervision::child_state::running);
    node.os_pid = runs ? about.os_pid : 0;
    node.up = std::chrono::duration_cast<std::chrono::milliseconds>(runs ? up : up.zero());
    node.restarts = about.restarts;
  }
  for (auto& child : node.children)
    describe(child, path_of(path, child.id), known);
}

void tree_question::answer(std::optional<tree_node> root) {
  if (auto call = std::exchange(answer_, nullptr))
    call(std::move(root));
  exit(actors::atoms::normal());
}

void tree_question::terminate(const actors::term&) {
  top_ = nullptr;
  journal_ = nullptr;
}

} // namespace penning::apps
