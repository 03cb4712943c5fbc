#pragma once

#include <penning/actors/callback.hpp>
#include <penning/actors/pending_answer.hpp>
#include <penning/actors/process.hpp>

#include <concepts>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace penning::actors {

/// What `init` wants done first, on its way to the process itself.
struct first_step {
  next_step step;
};

/// What the processes with a callback module share: they run its callbacks one at a time, do what
/// these return, and end as a `gen_server` does.
///
/// `on_stop` is called before the end if a callback returned `stop` or threw, or if the parent sent
/// an exit signal, of whatever reason, while this process traps exits: not when a signal ends a
/// process that does not trap exits, not on `kill`, and not when the start fails.
/// Source: OTP's `gen_server.erl`.
class callback_process : public process {
 public:
  using process::process;

  /// Ends with `reason`, after `on_stop`.
  void stop_with(term reason);

  /// Whether it understands a message of this type that comes as it is, in no `call` or `cast`.
  /// Thread safety: may be called from any thread.
  virtual bool takes(const caf::message&) const { return false; }

  /// The answer to the request that is being handled. The caller is told why if the process ends
  /// without having given it.
  pending_answer answer_later() { return pending_answer{make_response_promise(), &exit_reason()}; }

 protected:
  // -- what the callback module does -------------------------------------------------------------

  virtual callback_result on_info(const term&) { return noreply{}; }
  virtual callback_result on_continue(const term&) { return noreply{}; }
  virtual void on_stop(const term& reason) = 0;

  /// The last step of `stop_with`; one that must end somebody else first does it later.
  virtual void finish(const term& reason) { exit(reason); }

  // -- the loop ----------------------------------------------------------------------------------

  /// Runs a callback and does what it returns. `from` is whoever waits for its answer, if anyone.
  template <class Callback>
  void run(Callback&& callback, pending_answer* from = nullptr) {
    if (stopping_)
      return;
    cancel_timer(this, std::exchange(timeout_, {})); // any message takes it back
    proceed(guarded(callback), from);
  }

  /// What comes first once the process is up.
  void run_first(next_step step);

  /// In `init`: `run_first`, in the process and before any message; it comes as a `first_step`.
  void run_before_messages(next_step step);

  /// No callback runs from now on, `on_stop` neither.
  void silence() noexcept { stopping_ = true; }

  /// Runs `on_info`; one that is not up yet may do so later.
  virtual void take_info(term message);

  bool is_stopping() const noexcept { return stopping_; }

  void handle_exit(const caf::actor_addr& from, const term& reason) override;
  void handle_down(const down& message) override;

  /// What a callback returns; what it throws is a `stop`.
  template <class Callback>
  static std::invoke_result_t<Callback&> guarded(Callback& callback) {
    try {
      return callback();
    } catch (...) {
      return stop{exception_reason(std::current_exception()), {}};
    }
  }

 private:
  void proceed(callback_result result, pending_answer* from);
  std::optional<next_step> settle(callback_result result, pending_answer* from);

  timer_ref timeout_;
  bool stopping_ = false;
};

/// The callback module of a process that has constructed it in its own constructor.
template <class Module>
class module_slot {
 public:
  /// Constructs it from `args`, or from `process` and `args`.
  template <class Process, class... Args>
  explicit module_slot(Process& process, Args&&... args) {
    try {
      if constexpr (std::constructible_from<Module, Process&, Args...>)
        module_.emplace(process, std::forward<Args>(args)...);
      else
        module_.emplace(std::forward<Args>(args)...);
    } catch (...) {
      thrown_ = std::current_exception();
    }
  }

  /// In `init`: throws what the constructor threw, so that the start fails with it.
  void check() {
    if (thrown_)
      std::rethrow_exception(std::exchange(thrown_, nullptr));
  }

  Module* operator->() noexcept { return &*module_; }
  void reset() noexcept { module_.reset(); }

 private:
  std::optional<Module> module_;
  std::exception_ptr thrown_;
};

} // namespace penning::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::first_step)
