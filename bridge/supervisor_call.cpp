#include <penning/bridge/supervisor_call.hpp>

#include <penning/supervision/messages.hpp>

#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace penning::bridge {

namespace {

using namespace actors::literals;
using actors::tuple_of;
using supervision::child_state;

template <class Request>
caf::message about(const term& id) {
  return caf::make_message(Request{supervision::child_ref{id}});
}

/// Requests that name a child.
const std::map<std::string_view, caf::message (*)(const term&)> child_requests{
  {"terminate_child", about<supervision::terminate_child>},
  {"restart_child", about<supervision::restart_child>},
  {"delete_child", about<supervision::delete_child>},
  {"get_childspec", about<supervision::get_childspec>},
};

term state_of(const supervision::child_info& child) {
  if (child.state == child_state::restarting)
    return "restarting"_a;
  return child.pid ? term{child.pid.id()} : term{actors::atoms::undefined()};
}

term to_term(const supervision::child_list& children) {
  std::vector<term> result;
  for (const auto& child : children)
    result.push_back(
      tuple_of(child.id, state_of(child), actors::atom{to_string(child.type)}, child.modules));
  return actors::list{std::move(result)};
}

term to_term(const supervision::child_counts& counts) {
  return actors::list_of(tuple_of("specs"_a, counts.specs), tuple_of("active"_a, counts.active),
                         tuple_of("supervisors"_a, counts.supervisors),
                         tuple_of("workers"_a, counts.workers));
}

/// A result, or the reason of an error, with the Id of `actor` where its pid stands.
term with_id(const term& value, const caf::actor& actor) {
  const auto* elements = value.get_if<actors::tuple>();
  if (!actor || !elements)
    return actor && value == term{actors::to_pid(actor.address())} ? term{actor.id()} : value;
  std::vector<term> result;
  for (const auto& each : *elements)
    result.push_back(with_id(each, actor));
  return actors::tuple{std::move(result)};
}

} // namespace

std::optional<caf::message> to_supervisor_request(const term& message, const child_maker& maker) {
  if (message.is_atom("which_children"))
    return caf::make_message(supervision::which_children{});
  if (message.is_atom("count_children"))
    return caf::make_message(supervision::count_children{});
  const auto parts = match(message, actors::bind<actors::atom>, actors::bind<term>);
  if (!parts)
    return std::nullopt;
  const auto& [name, argument] = *parts;
  if (name == "start_child")
    return caf::make_message(supervision::start_child{to_child_spec(argument, maker)});
  const auto request = child_requests.find(name.text());
  return request == child_requests.end() ? std::nullopt : std::optional{request->second(argument)};
}

std::optional<term> from_supervisor_answer(const caf::message& answer) {
  if (answer.match_elements<supervision::children>())
    return to_term(answer.get_as<supervision::children>(0).list);
  if (answer.match_elements<supervision::child_counts>())
    return to_term(answer.get_as<supervision::child_counts>(0));
  if (!answer.match_elements<supervision::supervisor_reply>())
    return std::nullopt;
  const auto& reply = answer.get_as<supervision::supervisor_reply>(0);
  return with_id(reply.result, reply.pid);
}

} // namespace penning::bridge
