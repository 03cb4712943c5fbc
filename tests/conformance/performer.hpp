#pragma once

#include "session.hpp"

#include <string>

namespace penning::conformance {

/// Does what a scenario's events say.
class performer {
 public:
  performer(session& on, bool is_elixir) : session_{on}, is_elixir_{is_elixir} {}

  /// Starts the supervisor at the top, and waits for all that comes of it.
  outcome start(const json& input);
  /// Does what the event says, and waits for all that comes of it.
  outcome perform(const json& event);

 private:
  using held_ids = session::held_ids;

  outcome perform(const json& event, const held_ids& held);
  outcome begin(const json& event, const held_ids& held);
  outcome end_child(const std::string& op, const json& event);
  void end_program(const instance& child, const std::string& op, const term& reason);
  outcome disturb(const std::string& op, const json& event);
  outcome check_specs(const json& event);
  outcome call_supervisor(const std::string& op, const json& event, const held_ids& held);
  outcome call_about_child(const std::string& op, const json& event, const instance& whom);
  outcome start_child(const json& event, const instance& whom);
  outcome change_code(const json& event, const instance& whom, const held_ids& held);
  outcome batch(const json& event, held_ids held);

  instance target(const json& event) const;
  bool is_elixir(const instance& supervisor) const { return is_elixir_ && supervisor.number == 0; }
  supervision::child_ref child_ref(const json& event, bool by_pid) const;
  term new_state(const json& event, const instance& whom);

  session& session_;
  bool is_elixir_;
};

} // namespace penning::conformance
