#pragma once

#include <penning/io/containment.hpp>

#include <string>

namespace penning::apps {

/// What the programs' exit statuses mean.
enum exit_code : int {
  success = 0,   ///< Of `up`: stopped by SIGINT or SIGTERM, in order.
  failed = 1,    ///< The tree could not start or gave up; no instance answers.
  bad_usage = 2, ///< A mistake on the command line or in a file; nothing was started.
};

struct up_options {
  std::string file;
  std::string name; ///< Of the instance; its pid if empty.
  bool json = false;
  bool colour = true; ///< Allowed; used only on a terminal.
  io::containment_choice containment = io::containment_choice::strongest;
};

struct tree_options {
  std::string file; ///< Empty: the running instance.
  std::string name; ///< Which one, where several run.
  bool json = false;
};

/// `penning up`: runs the tree of a file until a signal or the tree itself ends it.
int run_up(const up_options& options);

/// `penning tree`: shows the tree of a file, or a running one.
int run_tree(const tree_options& options);

} // namespace penning::apps
