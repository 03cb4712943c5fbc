#pragma once

#include <penning/supervision/child_spec.hpp>
#include <penning/supervision/messages.hpp>
#include <penning/supervision/restart_intensity.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace penning::supervision {

/// What a supervisor is made of.
struct supervisor_options {
  sup_flags flags;
  std::vector<child_spec> children;
  std::string name;   ///< For reports.
  caf::actor reports; ///< Gets a `report` for each event; may be null.
};

/// OTP's supervisor: starts its children in order, starts again those that end against their
/// restart type, stops all in reverse order when it ends.
///
/// Answers `which_children` and `count_children`. Does one thing at a time, as OTP does, and blocks
/// no thread meanwhile: what arrives while a child starts or stops is handled after it, in order,
/// except for the parent's exit signal, which overtakes a start that does not return.
/// `start_link` is acknowledged when all children are up, or with
/// `{error, {shutdown, {failed_to_start_child, Id, Reason}}}` once those that were are down again.
/// Source: `supervisor.erl`.
class supervisor : public actors::process {
 public:
  /// Throws `std::invalid_argument`; see `validate`.
  supervisor(caf::actor_config& config, supervisor_options options);

  const char* name() const override { return "penning.supervisor"; }

 protected:
  actors::start_result init() override;
  caf::message_handler receive() override;
  void handle_exit(const caf::actor_addr& from, const term& reason) override;
  void handle_down(const actors::down& message) override;
  void handle_ack(const caf::actor_addr& child, const term& result) override;
  void terminate(const term& reason) override;

 private:
  struct child_record {
    child_spec spec;
    caf::actor pid;
    child_state state = child_state::undefined;
    std::optional<term> ended; // reason of an exit signal that has come but is not handled yet
  };
  struct idle {};
  struct starting {
    std::size_t index;
    bool is_restart;
  };
  struct stopping {
    std::size_t index;
    actors::monitor_ref monitor;
  };
  using work = std::function<void()>;

  // -- starting --
  void start(std::size_t index, bool is_restart);
  void on_start_result(const term& result);
  void on_start_failed(const starting& what, const term& reason);
  void start_rest(std::size_t index);
  void retry(const term& id);

  // -- ends of children --
  void on_child_exit(const caf::actor_addr& from);
  void restart(std::size_t index);

  // -- stopping --
  void shut_down(term reason);
  void stop_rest();
  void stop(std::size_t index);
  void on_stopped(const term& reason);

  void defer(work item);
  void rest();
  std::optional<std::size_t> find(const caf::actor_addr& pid) const;
  children list() const;
  child_counts count() const;
  void tell(report_kind kind, const child_record& about, term reason, term info = term{});

  supervisor_options options_;
  std::vector<child_record> children_;
  restart_intensity restarts_;
  std::variant<idle, starting, stopping> activity_;
  std::deque<work> deferred_;           // requests among it hold a `pending_answer`
  std::optional<term> shutdown_reason_; // set once the supervisor is on its way down
  std::uint64_t stop_number_ = 0;       // tells the timers of different stops apart
  bool up_ = false;
  caf::actor self_; // while it stops: nobody else may hold it any more
};

} // namespace penning::supervision
