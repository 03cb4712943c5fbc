#pragma once

#include "answer.hpp"
#include "director.hpp"
#include "stage.hpp"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace penning::conformance {

/// One scenario while it is played: its processes, who directs them, and the waiting for them.
class session {
 public:
  /// Supervisors that are suspended.
  using held_ids = std::set<caf::actor_id>;

  explicit session(stage& where);
  /// Ends all that is left.
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  stage& place() { return stage_; }
  world& events() { return world_; }
  /// Lives, and has nothing to do with any supervisor.
  const caf::actor& stranger() const { return stranger_; }

  /// Has the director do something, and returns once it has.
  void direct(director::step act);

  /// Sends a request; returns once it is in the mailbox. `show` makes a term of the answer.
  template <class Answer, class Request, class Show>
  outcome ask(const caf::actor& whom, Request request, Show show) {
    auto result = std::make_shared<answer>();
    const auto answered = [this, result](term value) {
      world_.update([&](auto&) { result->value = std::move(value); });
    };
    direct([whom, answered, show, request = std::move(request)](director& self) {
      actors::request(&self, whom, request)
        .then([answered, show](Answer& value) { answered(show(value)); },
              [answered](const caf::error& error) { answered(failed_call(error)); });
    });
    return {result};
  }

  template <class Request>
  outcome call(const caf::actor& whom, Request request) {
    return ask<supervision::supervisor_reply>(whom, std::move(request),
                                              [](const auto& reply) { return reply.result; });
  }

  outcome list_children(const caf::actor& whom);
  outcome count_children(const caf::actor& whom, bool as_map);

  /// Returns once it is answered.
  term await(const outcome& of);
  void await_all(const outcome& of);

  /// Returns once nothing goes on any more, but for what waits in the mailboxes of `held`.
  ///
  /// Who has ended is waited for until those linked to him have been told; then everybody alive is
  /// asked something, and answers once he has handled what was sent to him before. If all that
  /// time nobody started or ended and nobody is about to retry a start, nothing is on its way.
  void settle(const held_ids& held);

  std::vector<instance> live_ones() const;
  /// The last one that was started of that id, alive or not.
  std::optional<instance> latest(const std::string& id) const;

 private:
  static term failed_call(const caf::error& error);

  std::uint64_t activity() const;
  void await_ends();
  bool has_unwatched(const world::state& s) const;
  bool ask_all(const held_ids& held);
  void end_all();

  stage& stage_;
  world world_;
  caf::actor director_, stranger_;
  held_ids watched_; // by the director
};

} // namespace penning::conformance
