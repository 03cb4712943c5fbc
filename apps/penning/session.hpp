#pragma once

#include "log_event.hpp"
#include "tree_view.hpp"

#include <penning/actors/process.hpp>
#include <penning/io/child.hpp>
#include <penning/supervision/tree_file.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace penning::apps {

/// Sets a session going.
struct run_session {};

/// A signal that the operator has sent.
struct signal_came {
  int number = 0;
};

/// A question for the live tree. `answer` is called once, on some actor's thread; without a root
/// when the tree has ended or gave no answer in time.
struct tree_request {
  std::function<void(std::optional<tree_node>)> answer;
};

/// What became of a session.
struct session_end {
  int status = 1;          ///< For exit(3): 0 after a stop in order that a signal asked for.
  bool is_complete = true; ///< Not if the operator was too impatient for the log to be written.
};

/// What a session is made of.
struct session_options {
  supervision::tree_supervisor tree;
  std::string file; ///< Where the tree was read from: the root's id for `penning tree`.
  log_format format;
  int output = 1;                        ///< The descriptor that gets the log.
  std::string greeting;                  ///< The first line of the log.
  std::function<void(session_end)> done; ///< Called once, last.
};

/// The life of one `penning up`: starts the journal and the tree, stops the tree in order on SIGINT
/// and SIGTERM (at once, by SIGKILL, on a second one) and when nobody reads the log any more.
/// A signal after the end of the tree ends the wait for a log that nobody reads.
class session : public actors::process {
 public:
  /// `host` outlives the session.
  session(caf::actor_config& config, io::child_host& host, session_options options);

  const char* name() const override { return "penning.session"; }

 protected:
  caf::message_handler receive() override;
  void handle_exit(const caf::actor_addr& from, const actors::term& reason) override;
  void terminate(const actors::term& reason) override;

 private:
  void start();
  void on_signal(int number);
  void reload();
  void on_question(tree_request& request);
  void stop(const std::string& why);
  void kill();
  void on_top_ended(const actors::term& reason);
  void end(session_end how);
  void tell(std::string text);

  io::child_host& host_;
  session_options options_;
  caf::actor journal_, top_;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  bool stopping_ = false;
  int status_ = 1;
};

} // namespace penning::apps

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::apps::run_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::apps::signal_came)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::apps::tree_request)
