#pragma once

#include "line_splitter.hpp"
#include "log_event.hpp"
#include "tree_builder.hpp"

#include <penning/actors/pending_answer.hpp>
#include <penning/actors/process.hpp>
#include <penning/supervision/messages.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace penning::apps {

/// A line of `penning up` itself.
struct note {
  std::string text;
};

/// Asks the journal what it knows of the children that run.
struct describe_children {};

/// What supervisors do not tell of a child.
struct child_description {
  caf::actor_addr child; ///< Whose description it is; the child of that path may be another by now.
  std::int64_t os_pid = 0;
  std::uint64_t restarts = 0;
  std::chrono::steady_clock::time_point since; ///< When it was up.
};

/// The answer, by path.
struct child_descriptions {
  std::map<std::string, child_description> by_path;
};

/// Brutal kill of everything that runs, supervisors first.
struct kill_all {};

/// Ends the journal and its writer, once every child has ended and all is written; then answered.
struct finish {};

/// Writes the log: the owner of each program and the target of the supervisors' reports.
///
/// Never blocks; a writer that does holds back the programs' output by their windows, nothing else.
/// What a program wrote before its start was reported is logged after that report.
class journal : public actors::process {
 public:
  journal(caf::actor_config& config, caf::actor writer, log_format format);

  const char* name() const override { return "penning.journal"; }

 protected:
  actors::start_result init() override;
  caf::message_handler receive() override;
  void handle_down(const actors::down& message) override;
  void terminate(const actors::term& reason) override;

 private:
  using clock = std::chrono::system_clock;

  struct child_record {
    std::string path;
    line_splitter out, err;
    bool reported = false; // its start has been logged
    bool gone = false;
    std::vector<std::function<void()>> held; // what comes after the report of its start
  };
  using child_map = std::unordered_map<caf::actor_addr, child_record>;
  struct place {
    supervision::child_type type;
    std::uint64_t starts = 0;
    child_description current;
  };

  void on_announced(const child_announced& message);
  caf::result<void> on_output(event_kind kind, const std::vector<char>& bytes);
  void on_exited(const actors::exited& message);
  void on_report(const supervision::report& report);
  void on_progress(const supervision::report& report, const std::string& path);

  void kill(supervision::child_type type);

  void when_reported(const caf::actor_addr& address, std::function<void()> work);
  void release(const caf::actor_addr& address);
  void forget(child_map::iterator child);
  std::string cut_lines(child_record& child, event_kind kind, std::string_view bytes);
  void flush_lines(child_record& child);
  void log(log_event event);
  void log(event_kind kind, const std::string& id, std::string text);
  void write(std::string text, actors::pending_answer answer);
  void finish_if_all_ended();
  child_descriptions describe() const;

  caf::actor writer_;
  log_format format_;
  child_map children_;
  std::map<std::string, place> places_;
  std::optional<actors::pending_answer> finish_;
};

} // namespace penning::apps

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::apps::note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::apps::describe_children)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::apps::child_descriptions)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::apps::kill_all)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::apps::finish)
