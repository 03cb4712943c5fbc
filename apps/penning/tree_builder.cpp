#include "tree_builder.hpp"

#include <algorithm>
#include <utility>

namespace penning::apps {

namespace {

using supervision::child_type;
using supervision::start_function;
using supervision::supervisor_options;
using supervision::tree_child;
using supervision::tree_program;
using supervision::tree_supervisor;

/// Starts a `P` like `start_of` does, and announces it to the journal first.
template <class P, class... Args>
start_function announced_start(caf::actor journal, child_announced announcement, Args... args) {
  return [=](actors::process& supervisor, const actors::list&) {
    auto child = supervisor.spawn<P, caf::lazy_init>(args...);
    auto announced = announcement;
    announced.child = child.address();
    actors::post(journal, std::move(announced));
    return actors::process::begin(supervisor, std::move(child), true);
  };
}

struct builder {
  io::child_host& host;
  const caf::actor& journal;

  start_function start(const std::string& path, const tree_program& program) const {
    return announced_start<actors::os_process>(
      journal, {path, {}, child_type::worker, program.options.ready.has_value()}, std::ref(host),
      journal, program.options);
  }

  start_function start(const std::string& path, const tree_supervisor& nested) const {
    return announced_start<supervision::supervisor>(
      journal, {path, {}, child_type::supervisor, false}, options(path, nested));
  }

  supervision::child_spec spec(const std::string& parent, const tree_child& child) const {
    const auto path = path_of(parent, child.id);
    const bool nested = std::holds_alternative<tree_supervisor>(child.what);
    return {.id = child.id,
            .start = std::visit([&](const auto& what) { return start(path, what); }, child.what),
            .restart = child.restart,
            .shutdown = child.shutdown,
            .type = nested ? child_type::supervisor : child_type::worker,
            .significant = child.significant,
            .backoff = child.backoff,
            .start_after = {child.start_after.begin(), child.start_after.end()},
            .start_timeout = child.start_timeout};
  }

  supervisor_options options(const std::string& path, const tree_supervisor& tree) const {
    supervisor_options result{.flags = tree.flags, .children = {}, .name = path};
    for (const auto& child : tree.children)
      result.children.push_back(spec(path, child));
    return result;
  }
};

std::size_t longest_path(const tree_supervisor& tree, const std::string& parent) {
  std::size_t longest = 0;
  for (const auto& child : tree.children) {
    const auto path = path_of(parent, child.id);
    longest = std::max(longest, path.size());
    if (const auto* nested = std::get_if<tree_supervisor>(&child.what))
      longest = std::max(longest, longest_path(*nested, path));
  }
  return longest;
}

} // namespace

std::string path_of(const std::string& supervisor, const std::string& id) {
  return supervisor.empty() ? id : supervisor + "/" + id;
}

std::string id_text(const actors::term& id) {
  return actors::text_of(id).value_or(to_string(id));
}

supervisor_options build_tree(const tree_supervisor& tree, io::child_host& host,
                              const caf::actor& journal, const std::string& path) {
  return builder{host, journal}.options(path, tree);
}

std::size_t longest_path(const tree_supervisor& tree) {
  return longest_path(tree, "");
}

} // namespace penning::apps
