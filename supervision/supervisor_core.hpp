#pragma once

#include <penning/actors/pending_answer.hpp>
#include <penning/actors/timer.hpp>
#include <penning/supervision/child_spec.hpp>
#include <penning/supervision/messages.hpp>
#include <penning/supervision/restart_intensity.hpp>
#include <penning/supervision/spec_term.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace penning::supervision {

/// What the supervisors have in common: they do one thing at a time, as OTP does, and block no
/// thread meanwhile. What arrives while a child starts or stops is handled after it, in order,
/// except for the parent's exit signal, which overtakes a start that does not return.
class supervisor_core : public actors::process {
 public:
  supervisor_core(caf::actor_config& config, sup_flags flags, std::string name);

 protected:
  using work = std::function<void()>;

  caf::message_handler receive() override;
  void handle_exit(const caf::actor_addr& from, const term& reason) override;
  void handle_down(const actors::down& message) override;
  void terminate(const term& reason) override;

  // -- what the kinds differ in ------------------------------------------------------------------

  virtual void answer(start_child& request, actors::pending_answer& from) = 0;
  virtual void answer(terminate_child& request, actors::pending_answer& from) = 0;
  virtual void answer(restart_child& request, actors::pending_answer& from) = 0;
  virtual void answer(delete_child& request, actors::pending_answer& from) = 0;
  virtual void answer(get_childspec& request, actors::pending_answer& from) = 0;
  /// New flags and specifications; throws `spec_error`, after which all is as before.
  virtual void change(supervisor_spec to) = 0;
  /// For those that come as terms.
  virtual const start_resolver& resolver() const = 0;
  virtual children list() const = 0;
  virtual child_counts count() const = 0;

  /// A process has ended that is not being stopped: a child, an earlier one, or a stranger.
  virtual void on_exit_signal(const caf::actor_addr& from, const term& reason) = 0;
  /// A child of which `stop_child` was asked, or whose time to start is up, is down. Its links and
  /// monitors are taken back.
  virtual void on_stopped(const caf::actor& pid, const term& reason) = 0;
  /// The next attempt at a start that failed; `key` is what `post_retry` was given.
  virtual void retry(const term& key) = 0;
  /// Stops all children, then calls `children_stopped`.
  virtual void stop_children() = 0;
  /// If what is being done waits for a start, gives that up; else returns false.
  virtual bool give_up_start() = 0;

  // -- one thing at a time -----------------------------------------------------------------------

  /// Runs `item` once what was asked before is done; one that `is_system` even while suspended.
  void enqueue(work item, std::optional<actors::pending_answer> from = std::nullopt,
               bool is_system = false);
  /// What is being done needs more than this handler.
  void set_busy() noexcept { busy_ = true; }
  /// It is done.
  void set_idle();
  /// What is being done waits for the start of `child`, which may never return: its end follows, or
  /// `on_stopped`, once its time is up.
  void wait_for_start(const caf::actor& child, const child_spec& spec);
  /// It has returned.
  void start_returned();

  // -- starting and stopping ---------------------------------------------------------------------

  /// Calls the start function; what it throws becomes a failure, `{'EXIT', Reason}` if `wrap`.
  actors::started call_start(const child_spec& spec, const actors::list& arguments, bool wrap);
  /// `retry(key)` follows, with what else is in the mailbox already handled first.
  void post_retry(term key);
  /// The same once `delay` has passed, unless the timer is cancelled.
  actors::timer_ref retry_after(std::chrono::milliseconds delay, term key);

  /// Children that are stopped together get one time between them.
  using stop_group = std::uint64_t;
  stop_group new_group() noexcept { return ++last_group_; }
  /// Sends the signal of `how`; `on_stopped` follows.
  void stop_child(const caf::actor& pid, const shutdown_policy& how, stop_group group);
  /// Kills those of `group` that have not ended then, if `how` is a time.
  void limit_stop(const shutdown_policy& how, stop_group group);

  /// Stops all children, then ends with `reason`.
  void shut_down(term reason);
  void children_stopped();
  bool is_stopping(const caf::actor_addr& child) const { return stopping_.contains(child.id()); }
  bool is_shutting_down() const noexcept { return shutdown_reason_.has_value(); }
  /// All children are up.
  void set_up();

  /// Counts a restart; false if it is one too many.
  bool may_restart();

  /// Whether anyone wants a report of this kind.
  bool is_wanted(report_kind kind) const { return detail::is_wanted(topics_, kind); }
  void tell(report what);

  const sup_flags& flags() const noexcept { return flags_; }
  void set_flags(const sup_flags& flags);

 private:
  struct queued {
    work run;
    std::optional<actors::pending_answer> from;
    bool is_system;
  };
  struct stopping {
    caf::actor pid;
    actors::monitor_ref monitor;
    stop_group group;
  };

  template <class Answer>
  caf::result<Answer> serve(std::function<void(actors::pending_answer&)> give,
                            bool is_system = false);
  template <class Request>
  auto server_of();
  caf::result<supervisor_reply> serve_system(std::function<void(actors::pending_answer&)> give);
  term on_code_change(std::variant<supervisor_spec, term>& to);
  bool interrupt_start();
  void finish_stop(caf::actor_id pid, const term& reason);
  void on_parent_exit(const term& reason);
  void run_queue();

  sup_flags flags_;
  std::string name_;
  const actors::duplicate_registry& topics_;
  restart_intensity restarts_;
  std::deque<queued> queue_;
  std::unordered_map<caf::actor_id, stopping> stopping_;
  std::vector<actors::timer_ref> stop_timers_;
  actors::timer_ref start_timer_; // of the start that is waited for
  stop_group last_group_ = 0;
  std::optional<term> parent_exit_;     // waits for its turn
  std::optional<term> shutdown_reason_; // set once the supervisor is on its way down
  std::vector<actors::pending_answer> stop_requests_;
  std::optional<actors::pending_answer> asking_; // who asked for what is being done
  bool busy_ = true;                             // until it is up
  bool in_queue_ = false;
  bool suspended_ = false;
  bool up_ = false;
  caf::actor self_; // while it stops: nobody else may hold it any more
};

/// Reasons that are no crash: `normal`, `shutdown`, `{shutdown, _}`.
bool is_shutdown_like(const term& reason);

/// Whether the end of a child that was asked to end is not worth a report: what it was asked for,
/// and for one that is not permanent any orderly end. Source: `do_terminate/2` in supervisor.erl.
bool is_silent_stop(const child_spec& spec, const term& reason);

} // namespace penning::supervision
