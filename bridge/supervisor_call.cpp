#include <penning/bridge/supervisor_call.hpp>

#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace penning::bridge {

namespace {

using namespace actors::literals;
using actors::tuple_of;
using supervision::child_state;

using actor_name = std::function<term(const caf::actor&)>;

template <class Request>
caf::message about(supervision::child_ref child) {
  return caf::make_message(Request{std::move(child)});
}

/// Requests that name a child.
const std::map<std::string_view, caf::message (*)(supervision::child_ref)> child_requests{
  {"terminate_child", about<supervision::terminate_child>},
  {"restart_child", about<supervision::restart_child>},
  {"delete_child", about<supervision::delete_child>},
  {"get_childspec", about<supervision::get_childspec>},
};

term state_of(const supervision::child_info& child, const actor_name& name_of) {
  if (child.state == child_state::restarting)
    return "restarting"_a;
  return child.pid ? name_of(child.pid) : term{actors::atoms::undefined()};
}

term to_term(const supervision::child_list& children, const actor_name& name_of) {
  std::vector<term> result;
  for (const auto& child : children)
    result.push_back(
      tuple_of(child.id, state_of(child, name_of), actors::atom{to_string(child.type)},
               child.modules));
  return actors::list{std::move(result)};
}

term to_term(const supervision::child_counts& counts) {
  return actors::list_of(tuple_of("specs"_a, counts.specs), tuple_of("active"_a, counts.active),
                         tuple_of("supervisors"_a, counts.supervisors),
                         tuple_of("workers"_a, counts.workers));
}

/// A result, or the reason of an error, with `name` where `pid` stands.
term renamed(const term& value, const term& pid, const term& name) {
  const auto* elements = value.get_if<actors::tuple>();
  if (!elements)
    return value == pid ? name : value;
  std::vector<term> result;
  for (const auto& each : *elements)
    result.push_back(renamed(each, pid, name));
  return actors::tuple{std::move(result)};
}

} // namespace

std::optional<caf::message> to_supervisor_request(const term& message,
                                                  const supervisor_terms& terms) {
  if (message.is_atom("which_children"))
    return caf::make_message(supervision::which_children{});
  if (message.is_atom("count_children"))
    return caf::make_message(supervision::count_children{});
  const auto parts = match(message, actors::bind<actors::atom>, actors::bind<term>);
  if (!parts)
    return std::nullopt;
  const auto& [name, argument] = *parts;
  if (name == "start_child")
    return caf::make_message(terms.to_start(argument));
  const auto request = child_requests.find(name.text());
  if (request == child_requests.end())
    return std::nullopt;
  return request->second(terms.to_ref(argument));
}

std::optional<term> from_supervisor_answer(const caf::message& answer, const actor_name& name_of) {
  if (answer.match_elements<supervision::children>())
    return to_term(answer.get_as<supervision::children>(0).list, name_of);
  if (answer.match_elements<supervision::child_counts>())
    return to_term(answer.get_as<supervision::child_counts>(0));
  if (!answer.match_elements<supervision::supervisor_reply>())
    return std::nullopt;
  const auto& reply = answer.get_as<supervision::supervisor_reply>(0);
  if (!reply.pid)
    return reply.result;
  return renamed(reply.result, actors::to_pid(reply.pid.address()), name_of(reply.pid));
}

} // namespace penning::bridge
