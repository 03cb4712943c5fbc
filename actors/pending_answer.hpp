#pragma once

#include <penning/actors/caf.hpp>
#include <penning/actors/inspection.hpp>
#include <penning/actors/term.hpp>

#include <memory>
#include <utility>

namespace penning::actors {

/// A request that failed because of `reason`: any term, also one that is no error as an exit
/// reason.
inline caf::error request_error(term reason) {
  return make_payload_error(std::move(reason), error_kind::failure);
}

/// A request that failed because the actor that was asked ends with `reason`.
inline caf::error end_error(term reason) {
  return make_payload_error(std::move(reason), error_kind::end);
}

/// The answer to a request, to be given later. Copies are one answer; when the last of them goes
/// without having been given, the caller is told `noproc`: CAF 0.17 would let him wait for ever.
/// With `end_reason`, where its process keeps the reason of its end (`[]` before), he is told that
/// one once there is one.
///
/// To be made in a message handler, and given up in `process::terminate` at the latest, since it
/// keeps its actor alive.
class pending_answer {
 public:
  explicit pending_answer(caf::response_promise promise, const term* end_reason = nullptr)
      : state_{std::make_shared<state>(std::move(promise), end_reason)} {}

  /// Answers; only the first call counts.
  template <class T>
  void deliver(T&& value) {
    if (!std::exchange(state_->given, true))
      state_->promise.deliver(std::forward<T>(value));
  }

  /// Whether it has been given.
  bool given() const noexcept { return state_->given; }

  void fail(term reason) { deliver(request_error(std::move(reason))); }

  /// As `fail`, by an actor that ends with `reason`.
  void fail_by_end(term reason) { deliver(end_error(std::move(reason))); }

  /// What a handler returns so that CAF waits.
  const caf::response_promise& promise() const noexcept { return state_->promise; }

 private:
  struct state {
    state(caf::response_promise p, const term* r) : promise{std::move(p)}, end_reason{r} {}
    ~state() {
      const bool ended = end_reason && !end_reason->is_nil();
      if (!given)
        promise.deliver(ended ? end_error(*end_reason) : request_error(atoms::noproc()));
    }
    state(const state&) = delete;
    state& operator=(const state&) = delete;

    caf::response_promise promise; // keeps the process, and with it the reason
    const term* end_reason;
    bool given = false;
  };

  std::shared_ptr<state> state_;
};

} // namespace penning::actors
