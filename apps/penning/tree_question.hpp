#pragma once

#include "journal.hpp"
#include "tree_view.hpp"

#include <functional>
#include <optional>
#include <string>

namespace penning::apps {

/// One question for the live tree: asks every supervisor and the journal, calls `answer` once and
/// ends. An answer without a root means that none came in time.
class tree_question : public actors::process {
 public:
  using answer_function = std::function<void(std::optional<tree_node>)>;

  /// `root` is what is known of the top supervisor itself.
  tree_question(caf::actor_config& config, caf::actor top, caf::actor journal, tree_node root,
                answer_function answer);

  const char* name() const override { return "penning.tree_question"; }

 protected:
  actors::start_result init() override;
  caf::message_handler receive() override;
  void terminate(const actors::term& reason) override;

 private:
  void ask(const caf::actor& supervisor, tree_node& node, const std::string& path);
  void on_children(const supervision::children& children, tree_node& node, const std::string& path);
  void answered();
  void describe(tree_node& node, const std::string& path, const child_descriptions& known);
  void answer(std::optional<tree_node> root);

  caf::actor top_, journal_;
  answer_function answer_;
  tree_node root_;
  std::size_t open_ = 0; // supervisors that have not answered yet
};

} // namespace penning::apps
