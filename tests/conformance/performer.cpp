#include "performer.hpp"

#include "os_children.hpp"
#include "scenario.hpp"
#include "scripted.hpp"

#include <chrono>
#include <utility>

namespace penning::conformance {

using namespace actors::literals;
using actors::tuple_of;
namespace atoms = actors::atoms;

outcome performer::start(const json& input) {
  auto& where = session_.events();
  child_script::subtree tree{flags_term(input.at("sup")), {}};
  tree.specs = specs_term(input.at("children"), where,
                          {.is_template = is_simple(tree.flags), .is_elixir = is_elixir_});
  session_.direct([this, &where, tree](director& self) {
    supervision::subscribe_reports(caf::actor{&self});
    const auto top = is_elixir_ ? start_elixir_supervisor(self, where, {"top"}, tree.flags)
                                : start_supervisor(self, where, {"top"}, tree);
    if (top.result.how != actors::start_result::kind::pending)
      self.note_start(top.pid.address(), top.result);
  });
  session_.place().wait(where, [](const auto& s) { return s.top_start.has_value(); });
  session_.settle({});
  return known(where.read([](const auto& s) { return *s.top_start; }));
}

outcome performer::perform(const json& event) {
  return perform(event, {});
}

outcome performer::perform(const json& event, const held_ids& held) {
  auto result = begin(event, held);
  if (held.empty())
    session_.await_all(result);
  session_.settle(held);
  return result;
}

outcome performer::begin(const json& event, const held_ids& held) {
  const auto op = event.at("op").get<std::string>();
  if (op == "batch")
    return batch(event, held);
  if (op == "set_plan") {
    check_keys(event, {"op", "id", "plan"}, op);
    session_.events().set_plan(event.at("id"), plan_of(event.at("plan")));
    return known(atoms::ok());
  }
  if (op == "sleep") {
    check_keys(event, {"op", "ms"}, op);
    session_.place().pass(std::chrono::milliseconds{event.at("ms").get<int>()});
    return known(atoms::ok());
  }
  if (op == "check_childspecs")
    return check_specs(event);
  if (op == "exit" || op == "kill" || op == "signal")
    return end_child(op, event);
  if (op == "parent_exit" || op == "kill_sup" || op == "stranger_exit" || op == "message")
    return disturb(op, event);
  return call_supervisor(op, event, held);
}

/// The supervisor that an event is about.
instance performer::target(const json& event) const {
  const auto id = event.value("in", "top");
  const auto found = session_.latest(id);
  if (!found || !found->is_supervisor)
    throw not_understood{"no supervisor " + id};
  return *found;
}

// -- ends -----------------------------------------------------------------------------------------

outcome performer::end_child(const std::string& op, const json& event) {
  if (op == "kill")
    check_keys(event, {"op", "id"}, op);
  else
    check_keys(event, {"op", "id", "reason"}, op);
  const auto child = session_.latest(event.at("id"));
  if (!child || !child->is_live())
    return known(atoms::noproc());
  const auto reason = op == "kill" ? term{atoms::kill()} : to_term(event.at("reason"));
  if (op == "exit" && child->is_supervisor) // by itself it ends only as its parent wishes
    actors::send_exit(child->pid, child->parent, reason);
  else if (child->is_program)
    end_program(*child, op, reason);
  else if (op == "exit")
    actors::post(child->pid, end_yourself{reason});
  else
    actors::send_exit(child->pid, session_.stranger().address(), reason);
  return known(atoms::ok());
}

void performer::end_program(const instance& child, const std::string& op, const term& reason) {
  session_.events().set_delays(child.pid.id());
  if (op == "exit")
    return request_exit(child.pid, reason);
  const auto pid = session_.await(session_.ask<actors::os_pid_reply>(
    child.pid, actors::os_pid{}, [](const auto& reply) { return term{reply.pid}; }));
  kill_program(pid);
}

outcome performer::disturb(const std::string& op, const json& event) {
  if (op == "parent_exit" || op == "stranger_exit")
    check_keys(event, {"op", "reason", "in"}, op);
  else
    check_keys(event, {"op", "in"}, op);
  const auto whom = target(event);
  const auto stranger = session_.stranger().address();
  if (op == "message")
    actors::post(whom.pid, term{"hello"_a});
  else if (op == "kill_sup")
    actors::send_exit(whom.pid, stranger, atoms::kill());
  else
    actors::send_exit(whom.pid, op == "parent_exit" ? whom.parent : stranger,
                      to_term(event.at("reason")));
  return known(atoms::ok());
}

// -- requests -------------------------------------------------------------------------------------

outcome performer::check_specs(const json& event) {
  check_keys(event, {"op", "children", "auto_shutdown"}, "check_childspecs");
  const auto specs = specs_term(event.at("children"), session_.events(), {.sets_plans = false});
  if (!event.contains("auto_shutdown"))
    return known(supervision::check_childspecs(specs));
  return known(supervision::check_childspecs(specs, to_term(event["auto_shutdown"])));
}

outcome performer::call_supervisor(const std::string& op, const json& event, const held_ids& held) {
  const auto whom = target(event);
  if (op == "start_child")
    return start_child(event, whom);
  if (op == "code_change")
    return change_code(event, whom, held);
  if (op == "stop") {
    check_keys(event, {"op", "reason", "in"}, op);
    return session_.call(whom.pid, supervision::stop{to_term(event.at("reason"))});
  }
  if (op != "which_children" && op != "count_children")
    return call_about_child(op, event, whom);
  check_keys(event, {"op", "in"}, op);
  if (op == "count_children")
    return session_.count_children(whom.pid, is_elixir(whom));
  auto result = session_.list_children(whom.pid);
  result.single->any_order = whom.is_dynamic;
  return result;
}

outcome performer::call_about_child(const std::string& op, const json& event,
                                    const instance& whom) {
  check_keys(event, {"op", "id", "by", "in"}, op);
  if (op == "terminate_child")
    return session_.call(whom.pid, supervision::terminate_child{child_ref(event, whom.is_dynamic)});
  if (op == "restart_child")
    return session_.call(whom.pid, supervision::restart_child{child_ref(event, false)});
  if (op == "delete_child")
    return session_.call(whom.pid, supervision::delete_child{child_ref(event, false)});
  if (op == "get_childspec")
    return session_.call(whom.pid, supervision::get_childspec{child_ref(event, false)});
  throw not_understood{"event " + event.dump()};
}

/// A child that never had a process can only be named by its id.
supervision::child_ref performer::child_ref(const json& event, bool by_pid) const {
  const auto by = event.value("by", by_pid ? "pid" : "id");
  const auto id = event.at("id").get<std::string>();
  if (by == "stranger")
    return session_.stranger();
  if (by != "pid" && by != "id")
    throw not_understood{"by " + by};
  const auto process = by == "pid" ? session_.latest(id) : std::nullopt;
  if (process)
    return process->pid;
  return to_term(id);
}

outcome performer::start_child(const json& event, const instance& whom) {
  check_keys(event, {"op", "spec", "args", "in"}, "start_child");
  if (event.contains("spec") == event.contains("args"))
    throw not_understood{"neither spec nor args, or both: " + event.dump()};
  if (event.contains("args"))
    return session_.call(whom.pid, supervision::start_child{to_term(event["args"])});
  const auto spec = spec_term(event["spec"], session_.events(), {.is_elixir = is_elixir(whom)});
  return session_.call(whom.pid, supervision::start_child{spec});
}

/// As `sys` does it: `{error, X}` for what `code_change` returns that is not `ok`.
outcome performer::change_code(const json& event, const instance& whom, const held_ids& held) {
  check_keys(event, {"op", "sup", "children", "return", "in"}, "code_change");
  const bool is_held = held.contains(whom.pid.id());
  if (!is_held)
    session_.await(session_.call(whom.pid, supervision::suspend{}));
  auto result = session_.ask<supervision::supervisor_reply>(
    whom.pid, supervision::code_change{new_state(event, whom)}, [](const auto& reply) {
      if (reply.result == atoms::ok())
        return reply.result;
      return term{tuple_of(atoms::error(), reply.result)};
    });
  session_.await(result);
  if (!is_held)
    session_.await(session_.call(whom.pid, supervision::resume{}));
  return result;
}

/// What `init` returns then.
term performer::new_state(const json& event, const instance& whom) {
  if (event.contains("return"))
    return to_term(event["return"]);
  const auto flags = flags_term(event.value("sup", json::object()));
  const auto specs = specs_term(event.value("children", json::array()), session_.events(),
                                {.is_template = is_simple(flags), .is_elixir = is_elixir(whom)});
  return tuple_of(atoms::ok(), tuple_of(flags, specs));
}

outcome performer::batch(const json& event, held_ids held) {
  check_keys(event, {"op", "events", "in"}, "batch");
  const auto whom = target(event);
  session_.await(session_.call(whom.pid, supervision::suspend{}));
  held.insert(whom.pid.id());
  outcome result;
  for (const auto& each : event.at("events"))
    result.batch.push_back(perform(each, held));
  session_.await(session_.call(whom.pid, supervision::resume{}));
  return result;
}

} // namespace penning::conformance
