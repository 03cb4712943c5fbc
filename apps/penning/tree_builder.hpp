#pragma once

#include <penning/io/child.hpp>
#include <penning/supervision/supervisor.hpp>
#include <penning/supervision/tree_file.hpp>

#include <cstddef>
#include <string>

namespace penning::apps {

/// To the journal, before the child runs: whose output and reports will follow.
struct child_announced {
  std::string path;
  caf::actor_addr child;
  supervision::child_type type = supervision::child_type::worker;
  bool waits_for_ready = false; ///< It may write before it counts as started.
};

/// The path of a child: the ids from below the root, joined by `/`.
std::string path_of(const std::string& supervisor, const std::string& id);

/// A child's id as it is in the file.
std::string id_text(const actors::term& id);

/// What the supervisor of `tree`, the root unless `path` says otherwise, is made of. `journal` is
/// the owner of each program and hears every supervisor's reports; a supervisor's name in them is
/// its path, empty for the root. `host` outlives the tree.
supervision::supervisor_options build_tree(const supervision::tree_supervisor& tree,
                                           io::child_host& host, const caf::actor& journal,
                                           const std::string& path = "");

/// Length of the longest path in the tree.
std::size_t longest_path(const supervision::tree_supervisor& tree);

} // namespace penning::apps

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::apps::child_announced)
