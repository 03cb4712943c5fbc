#pragma once

#include <penning/supervision/child_spec.hpp>
#include <penning/supervision/messages.hpp>
#include <penning/supervision/spec_term.hpp>
#include <penning/supervision/supervisor_core.hpp>

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace penning::supervision {

/// What a supervisor is made of.
struct supervisor_options {
  sup_flags flags;
  std::vector<child_spec> children;
  std::string name;            ///< For reports.
  start_resolver resolve = {}; ///< For specifications that come as terms.
};

/// OTP's supervisor: starts its children in order, starts again those that end against their
/// restart type, stops all in reverse order when it ends.
///
/// Understands the requests of messages.hpp. `start_link` returns when all children are up, or with
/// `{error, {shutdown, {failed_to_start_child, Id, Reason}}}` once those that were are down again;
/// with `{error, E}` of `validate`, before any has started.
/// docs/semantics.md tells rule by rule what it does. Source: `supervisor.erl`.
class supervisor : public supervisor_core {
 public:
  supervisor(caf::actor_config& config, supervisor_options options);

  const char* name() const override { return "penning.supervisor"; }

 protected:
  actors::start_result init() override;
  void handle_ack(const caf::actor_addr& from, const actors::start_result& result) override;
  void terminate(const term& reason) override;

  void answer(start_child& request, actors::pending_answer& from) override;
  void answer(terminate_child& request, actors::pending_answer& from) override;
  void answer(restart_child& request, actors::pending_answer& from) override;
  void answer(delete_child& request, actors::pending_answer& from) override;
  void answer(get_childspec& request, actors::pending_answer& from) override;
  void change(supervisor_spec to) override;
  const start_resolver& resolver() const override { return resolve_; }
  children list() const override;
  child_counts count() const override;

  void on_exit_signal(const caf::actor_addr& from, const term& reason) override;
  void on_stopped(const caf::actor& pid, const term& reason) override;
  void retry(const term& id) override;
  void stop_children() override;
  bool give_up_start() override;

  // -- for the kinds made from it ----------------------------------------------------------------

  struct child {
    std::shared_ptr<const child_spec> spec;
    caf::actor pid; // while it runs, or starts
    child_state state = child_state::undefined;
    caf::actor_addr last_pid;  // for reports: what it runs as, or ran as before its restart
    std::optional<term> ended; // reason of an exit signal that has come but is not handled yet
    restart_delay delay;
    actors::timer_ref retry; // while its restart is delayed

    restart_type restart() const { return spec->restart; }
  };
  using child_order = std::list<child>; // addresses are stable

  /// What is being done: some children are stopped, each after the other, then some are started,
  /// until one fails. Nothing else is meanwhile.
  struct operation {
    std::vector<child*> stop;
    std::vector<child*> forget;
    std::vector<child*> start;
    std::function<void(child* failed, const term& value)> done; // its reason, else what it added
    std::size_t stopped = 0, started = 0;
    bool is_first_start = false; // a temporary child that wants to be ignored is forgotten then
    bool waits_for_start = false;
    bool waits_for_stop = false;
  };

  void run(operation next);
  child* find(const term& id);
  const child* find(const term& id) const;

 private:
  void advance();
  bool stop_next(operation& what);
  bool start_next(operation& what);
  void on_start_result(actors::start_result result);
  void finish(child* failed, const term& value);

  void on_child_exit(const caf::actor_addr& from);
  void on_significant_end();
  void restart(child& which);
  void restart_later(child& which);
  void restart_now(child& which);
  void schedule_retry(child& which, std::optional<std::chrono::milliseconds> delay);
  std::optional<std::chrono::milliseconds> next_delay(child& which);
  bool waits_for_sibling(const child& which) const;
  void release_held_back();
  bool is_starting(const child& which) const;

  static void require_static(const sup_flags& flags);
  child& add(child_spec spec);
  void forget(child& which);
  void set_stopped(child& which);
  child* find(const caf::actor_addr& pid);
  child* find(const child_ref& which);
  term to_record(const child& which) const;
  supervisor_reply started_reply(const child* which, const term& info) const;
  void tell_about(report_kind kind, const child& about, term reason,
                  term info = actors::atoms::undefined());

  start_resolver resolve_;
  std::vector<child_spec> first_specs_; // until init
  child_order children_;                // in the order of their start
  std::unordered_map<term, child_order::iterator> by_id_;
  std::unordered_map<caf::actor_id, child*> by_pid_;
  std::vector<term> held_back_; // children whose restart waits for that of another
  std::optional<operation> operation_;
};

} // namespace penning::supervision
