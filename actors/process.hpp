#pragma once

#include <penning/actors/messages.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>

namespace penning::actors {

/// What the start of a process came to, or that it will tell later.
struct start_result {
  enum class kind : std::uint8_t {
    ok,      ///< Up: the parent is told at once, with `value` as additional information, if any.
    pending, ///< The process calls `acknowledge` itself, once it is up or has failed.
    ignore,  ///< Ends `normal`, the parent is told `ignore`.
    stop,    ///< Ends with `value` as its reason, the parent is told `{error, Reason}`.
  };
  kind how = kind::ok;
  term value = atoms::undefined();
};

/// The longest time that a timer of ours takes, as of Erlang's: 2^32 - 1 ms, about 50 days.
inline constexpr std::chrono::milliseconds max_delay{4'294'967'295};

/// Identifies a monitor of one process.
using monitor_ref = std::uint64_t;

/// An actor with OTP's links, monitors and exit signals in place of CAF's, whose `kill` travels
/// through links and cannot be trapped (docs/decisions/links.md).
///
/// - A process that ends with R sends everyone linked to it an exit signal R. One that does not
/// trap
///   exits ends with R itself, unless R is `normal`; one that does gets it in `handle_exit`.
/// - `exit(other, kill)` cannot be trapped, and everyone else reads `killed`.
/// - A monitor gives exactly one `down`, with `noproc` for an actor that has ended already.
///
/// Peers may be actors of any kind: one that is no process gets CAF's exit message instead.
/// Thread safety: as CAF's actors; call these functions from the process's own handlers.
/// Source: the Erlang reference manual, "Processes"; `erlang:exit/2`, `link/1`, `monitor/2`.
class process : public caf::event_based_actor {
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
  void trap_exit(bool on) noexcept { traps_ = on; }

  bool is_linked(const caf::actor_addr& other) const { return links_.contains(other); }

  /// Starts a process that is linked to this one from its first moment on. Does not wait for its
  /// `init`.
  template <std::derived_from<process> P, class... Args>
  caf::actor spawn_link(Args&&... args) {
    return adopt(*this, spawn<P, caf::lazy_init>(std::forward<Args>(args)...), false);
  }

  /// As `spawn_link`, and the new process answers with an `init_ack`: see `handle_ack`.
  template <std::derived_from<process> P, class... Args>
  caf::actor start_link(Args&&... args) {
    return adopt(*this, spawn<P, caf::lazy_init>(std::forward<Args>(args)...), true);
  }

  /// Makes `parent` the parent of a process that was spawned lazily, links the two and sets it
  /// going. What `spawn_link` and `start_link` are made of.
  static caf::actor adopt(caf::local_actor& parent, caf::actor child, bool wants_ack);

 protected:
  // -- what a process is made of ------------------------------------------------------------------

  /// Runs first, in the new process. What it throws ends it like `stop`.
  virtual start_result init() { return {}; }

  /// The messages that the process understands.
  virtual caf::message_handler receive() = 0;

  /// An exit signal of another process, while this one traps exits.
  virtual void handle_exit(const caf::actor_addr& from, const term& reason);

  /// `exit(this, kill)`: ends with `killed`. An OS process ends its children before it does so.
  virtual void handle_kill();

  virtual void handle_down(const down& message);

  /// A process that this one started with `start_link` is up, or is not: `ok`, `{ok, Info}`,
  /// `ignore` or `{error, Reason}`.
  virtual void handle_ack(const caf::actor_addr& child, const term& result);

  /// Last: after it the links and monitors are told. Give up all handles to other actors here.
  virtual void terminate(const term& reason);

  // -- for the classes made from it ---------------------------------------------------------------

  /// Tells the parent how the start went, once; see `start_result::kind::pending`. With an error
  /// the process then ends with that reason.
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

  void run_init();
  void on_signal(exit_signal& signal);
  void watch(const caf::actor& foreign, const void* key);
  void tell(const std::pair<const caf::actor_addr, bool>& link, const term& reason);

  // The nodes of both maps serve as keys of observers: their addresses are stable and unique.
  std::unordered_map<caf::actor_addr, bool> links_; // peer -> is it foreign, that is no process
  std::unordered_map<monitor_ref, caf::actor_addr> monitors_;
  monitor_ref last_monitor_ = 0;
  caf::actor_addr parent_;
  bool wants_ack_ = false;
  bool traps_ = false;
  bool ended_ = false;
  term reason_;
};

/// `process::start_link` for a parent of any kind, a `caf::scoped_actor` of a main program or of a
/// test, say: it gets the `init_ack` as a message.
template <std::derived_from<process> P, class... Args>
caf::actor start_link(caf::local_actor& parent, Args&&... args) {
  auto child = parent.system().spawn<P, caf::lazy_init>(std::forward<Args>(args)...);
  return process::adopt(parent, std::move(child), true);
}

/// The exit reason of an actor as a term: a `process` gives its own; CAF's `user_shutdown` is
/// `shutdown`, `kill` is `killed`, no error is `normal`, any other `{caf, Text}`.
term reason_from(const caf::error& reason);

/// The exit reason as CAF's error, readable by `reason_from`.
caf::error reason_to_error(const term& reason);

/// What a thrown exception is as an exit reason: `{exception, What}`.
term exception_reason(const std::exception_ptr& exception);

/// An actor of this program in a term: a pid of the node `penning`. It identifies, it does not own.
pid to_pid(const caf::actor_addr& address);

/// Sends an exit signal from anywhere: `from` may be empty. `kill` cannot be trapped.
void send_exit(const caf::actor& to, const caf::actor_addr& from, term reason);

} // namespace penning::actors
