#pragma once

#include <penning/io/child.hpp>
#include <penning/supervision/messages.hpp>
#include <penning/supervision/tree_file.hpp>

#include <cstddef>
#include <string>

namespace penning::apps {

/// Reads the tree file again and brings the live tree to what it says now, supervisor by
/// supervisor: flags and specifications are replaced, children that are no longer in the file
/// are stopped and forgotten, new ones are started. A child that stays keeps its process; what the
/// file says of its program counts from its next start on. A file with mistakes changes nothing.
class tree_reload : public actors::process {
 public:
  struct plan {
    std::string file;
    caf::actor top;     ///< The supervisor of the whole tree.
    caf::actor journal; ///< As for `build_tree`; hears what came of it.
  };

  /// To be spawned `caf::detached`: it reads a file. `host` outlives the tree.
  tree_reload(caf::actor_config& config, io::child_host& host, plan what);

  const char* name() const override { return "penning.tree_reload"; }

 protected:
  actors::start_result init() override;
  caf::message_handler receive() override;
  void terminate(const actors::term& reason) override;

 private:
  void update(const caf::actor& supervisor, const supervision::tree_supervisor& to,
              const std::string& path);
  void update_children(const caf::actor& supervisor, const supervision::child_list& before,
                       const supervision::tree_supervisor& to, const std::string& path);
  template <class Answer, class Request, class Then>
  void ask(const caf::actor& supervisor, Request request, Then then);
  void answered();
  void tell(std::string text);

  io::child_host& host_;
  plan plan_;
  supervision::tree_supervisor tree_;
  std::size_t open_ = 0; // answers that are still to come
};

} // namespace penning::apps
