#pragma once

#include <penning/actors/messages.hpp>
#include <penning/actors/registry_name.hpp>
#include <penning/actors/timer.hpp>

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace penning::actors {

/// What the start of a process came to, or that it will tell later.
struct start_result {
  enum class kind : std::uint8_t {
    ok,      ///< Up, with `value` as additional information, if it is not `undefined`.
    pending, ///< The process calls `acknowledge` itself, once it is up or has failed.
    ignore,  ///< Ends `normal`.
    stop,    ///< Ends with `value` as its reason.
  };
  kind how = kind::ok;
  term value = atoms::undefined();
};

/// What `start_link` returns: `{ok, Pid}`, `{ok, Pid, Info}`, `ignore` or `{error, Reason}`, or
/// that an `init_ack` will tell.
struct started {
  caf::actor pid; ///< Null unless it is up or may yet be: `ok`, `pending`.
  start_result result;
};

/// Identifies a monitor of one process.
using monitor_ref = std::uint64_t;

/// An actor with OTP's links, monitors and exit signals in place of CAF's, whose `kill` travels
/// through links and cannot be trapped (docs/decisions/links.md).
///
/// - A process that ends with R sends everyone linked to it an exit signal R. One that does not
///   trap exits ends with R itself, unless R is `normal`; one that does gets it in `handle_exit`.
/// - `exit(other, kill)` cannot be trapped, and everyone else reads `killed`.
/// - A monitor gives exactly one `down`, with `noproc` for an actor that has ended already.
///
/// Peers may be actors of any kind: one that is no process gets CAF's exit message instead.
/// Thread safety: as CAF's actors; call these functions from the process's own handlers.
/// Source: the Erlang reference manual, "Processes"; `erlang:exit/2`, `link/1`, `monitor/2`.
class process : public quiet_actor {
 public:
  explicit process(caf::actor_config& config);
  ~process() override;

  /// Ends this process with `reason` once the running handler returns.
  void exit(term reason);

  /// Sends an exit signal, as `exit/2` does.
  void exit(const caf::actor& other, term reason);

  void link(const caf::actor& other);

  /// After this no exit signal from `other` arrives, not even one that is in the mailbox already.
  void unlink(const caf::actor& other);

  monitor_ref monitor(const caf::actor& other);

  /// After this no `down` for `ref` arrives, not even one that is in the mailbox already.
  void demonitor(monitor_ref ref);

  /// Whether exit signals reach `handle_exit` instead of ending the process; off at first.
  void trap_exit(bool on) noexcept { traps_.store(on, std::memory_order_relaxed); }

  bool is_linked(const caf::actor_addr& other) const { return links_.contains(other); }

  /// What `send_after`, `run_after` and `cancel_timer` work on.
  timer_queue& timers();

  /// Starts a process that is linked to this one from its first moment on. One whose `init` fails
  /// ends like any other: this process gets its exit signal.
  template <std::derived_from<process> P, class... Args>
  caf::actor spawn_link(Args&&... args) {
    auto child = spawn<P, caf::lazy_init>(std::forward<Args>(args)...);
    begin(*this, child, false);
    return child;
  }

  /// As `spawn_link`, but tells what `init` came to; a process that did not start is gone then, and
  /// sends no exit signal. One that is `pending` tells by `handle_ack`. Source: `proc_lib`.
  template <std::derived_from<process> P, class... Args>
  started start_link(Args&&... args) {
    auto child = spawn<P, caf::lazy_init>(std::forward<Args>(args)...);
    return begin(*this, std::move(child), true);
  }

  /// Links a process that was spawned lazily to `parent`, runs its `init` in this thread and sets
  /// it going. What `spawn_link` and `start_link` are made of.
  static started begin(caf::local_actor& parent, caf::actor child, bool wants_ack);

  /// Whether `actor` has not ended yet; an actor that is no process counts as one.
  static bool is_alive(const caf::actor& actor);

  /// Calls `call` once `actor` has ended, or at once if it has. A process calls it in its own
  /// thread after `terminate`, when it is no longer alive, and before its links and monitors are
  /// told; as early as its parent is told of the end, if that is before (`leave`, `acknowledge`).
  /// An actor that is no process calls it among its attachables. `call` must not throw or block.
  /// Thread safety: may be called from any thread.
  static void at_end(const caf::actor& actor, std::function<void()> call);

  /// The name that it is started under, if any; see `set_name`.
  const server_name* registered_name() const noexcept { return name_.get(); }

  /// CAF's launch, once `init` has run; a lazily spawned process waits for `begin`.
  void launch(execution_context* context, bool lazy, bool hide) override;

  /// CAF's, which runs the handlers.
  caf::resumable::resume_result resume(execution_context* context, std::size_t most) override;

 protected:
  // -- what a process is made of ------------------------------------------------------------------

  /// Runs first, in the thread of whoever starts the process, and before any message. What it
  /// throws ends the process like `stop`.
  virtual start_result init() { return {}; }

  /// The messages that the process understands.
  virtual caf::message_handler receive() = 0;

  /// An exit signal of another process, while this one traps exits.
  virtual void handle_exit(const caf::actor_addr& from, const term& reason);

  /// `exit(this, kill)`: ends with `killed`. An OS process ends its children before it does so.
  virtual void handle_kill();

  virtual void handle_down(const down& message);

  /// Another process has linked itself to this one, or taken that back: of interest to one that
  /// stands for somebody elsewhere.
  virtual void handle_link(const caf::actor_addr& from);
  virtual void handle_unlink(const caf::actor_addr& from);

  /// A process of which `start_link` said `pending` is up, or is not.
  virtual void handle_ack(const caf::actor_addr& child, const start_result& result);

  /// Last: after it the links and monitors are told. Give up all handles to other actors here.
  virtual void terminate(const term& reason);

  // -- for the classes made from it ---------------------------------------------------------------

  /// The process whose handler runs in this thread. Handlers that ask for it instead of capturing
  /// `this` can be made once for all processes of a class: CAF takes 40 bytes for each.
  static process& current() noexcept;

  /// In the constructor: the name to start under. It is registered before `init` runs; if another
  /// live actor has it, the start fails with `{already_started, Pid}` instead, with `undefined` if
  /// its registry does not know whom. It is free again before anyone hears of the end: of a start
  /// that failed before `start_link` returns. Source: `gen:start/6`.
  void set_name(server_name name) { name_ = std::make_unique<server_name>(std::move(name)); }

  /// Tells how the start went, once; see `start_result::kind::pending`. Within `init` it decides
  /// what that comes to, whatever it returns. With an error the process then ends with that reason.
  void acknowledge(start_result result);

  /// Ends one link with an exit signal, as if this process had ended already; for one that still
  /// has something to deliver elsewhere.
  void leave(const caf::actor_addr& peer, term reason);

  const caf::actor_addr& parent() const noexcept { return parent_; }

  /// The reason with which this process is about to end, once it is.
  const term& exit_reason() const noexcept { return reason_; }

 private:
  caf::behavior make_behavior() final;
  void on_exit() final;
  void cleaned_up() final;

  friend void send_exit(const caf::actor& to, const caf::actor_addr& from, term reason);

  enum class peer_kind : std::uint8_t { process, foreign };
  using links = std::unordered_map<caf::actor_addr, peer_kind>;
  struct monitors {
    std::unordered_map<monitor_ref, caf::actor_addr> all;
    monitor_ref last = 0;
  };

  using end_watcher = std::function<void(const term& reason)>;

  /// Whom to tell of the end, under CAF's own lock. By key: to take one of many back must not cost
  /// a look at all of them, as it does with CAF's attachables.
  struct end_calls {
    std::vector<std::function<void()>> first;
    std::unordered_map<const void*, end_watcher> last;
  };

  start_result run_init();
  start_result claim_name();
  void give_up_name();
  void run_at_end(bool gone);
  end_calls& end_calls_of();
  void settle(const start_result& result);
  void set_going(execution_context* context, bool hide);
  static caf::message_handler own_messages();
  void on_signal(exit_signal& signal);
  void on_down(const down& message);
  void on_ack(const init_ack& ack);
  void watch(const caf::actor& foreign, const void* key);
  static void observe(const caf::actor& actor, const void* key, end_watcher call);
  static void unobserve(const caf::actor& actor, const void* key);
  std::optional<peer_kind> forget(const caf::actor_addr& peer);
  void tell(const links::value_type& link, const term& reason);
  static void send_signal(const caf::actor& to, exit_signal signal);

  // Small, for there may be a million: what few need stands behind a pointer.
  // The nodes of both maps serve as keys of observers: their addresses are stable and unique.
  links links_;
  std::unique_ptr<monitors> monitors_;
  std::unique_ptr<timer_queue> timers_;
  std::unique_ptr<const server_name> name_;
  caf::actor_addr parent_;
  std::optional<start_result>* init_result_ = nullptr; // within `init`: of `acknowledge`
  std::unique_ptr<end_calls> at_end_;                  // with the two below, under CAF's own lock
  term reason_;
  std::atomic<bool> gone_ = false;  // read by `is_alive` without the lock
  std::atomic<bool> traps_ = false; // read by those who send exit signals
  bool has_told_ = false;           // the last of them
  bool wants_ack_ = false;
  bool has_name_ = false;
  bool ended_ = false;
};

/// `process::start_link` for a parent of any kind, a `caf::scoped_actor` of a main program or of a
/// test, say: it gets the `init_ack` as a message, in any case.
template <std::derived_from<process> P, class... Args>
caf::actor start_link(caf::local_actor& parent, Args&&... args) {
  auto child = parent.system().spawn<P, caf::lazy_init>(std::forward<Args>(args)...);
  process::begin(parent, child, true);
  return child;
}

/// The exit reason of an actor as a term: a `process` gives its own; CAF's `user_shutdown` is
/// `shutdown`, `kill` is `killed`, no error is `normal`, any other `{caf, Text}`.
term reason_from(const caf::error& reason);

/// The exit reason as CAF's error, readable by `reason_from`.
caf::error reason_to_error(const term& reason);

/// What a thrown exception is as an exit reason: `{exception, What}`; a thrown `exit_with` or
/// `term` is that reason.
term exception_reason(const std::exception_ptr& exception);

/// An actor of this program in a term: a pid of the node `penning`. It identifies, it does not own.
pid to_pid(const caf::actor_addr& address);

/// The node of those pids.
const atom& own_node();

/// Sends an exit signal from anywhere: `from` may be empty. `kill` cannot be trapped.
void send_exit(const caf::actor& to, const caf::actor_addr& from, term reason);

} // namespace penning::actors
