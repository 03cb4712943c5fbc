// What the bridge does for C++ actors that talk to processes of the BEAM.

#include <penning/bridge/beam_port_bridge.hpp>

#include <utility>

namespace penning::bridge {

using namespace actors::literals;
using namespace port_protocol;
using actors::tuple_of;
namespace atoms = actors::atoms;

caf::message_handler beam_port_bridge::about_beam_processes() {
  return {
    [this](to_process& message) { on(message); }, // the most frequent first
    [this](watch_process& message) { on(message); },
    [this](process_signal& message) { on(message); },
    [this](process_link& message) { on(message); },
    [this](process_link_end& message) { on(message); },
    [this](introduce& message) { on(message); },
  };
}

// -- from the actors ------------------------------------------------------------------------------

void beam_port_bridge::on(watch_process& message) {
  send_frame(watch_frame(message.name));
}

void beam_port_bridge::on(to_process& message) {
  const auto& content = message.content;
  if (message.from && !options_->beam->find(message.name))
    return message.from.give(caf::make_message(actors::end_error(atoms::noproc())));
  if (!message.from && content.match_elements<actors::cast>())
    return send_frame(cast_frame(message.name, content.get_as<actors::cast>(0).request));
  const auto value = content.match_elements<actors::call>()
                       ? content.get_as<actors::call>(0).request
                       : options_->vocabulary.from_message(content, options_->beam.get());
  if (!value)
    return on_unknown(message);
  if (message.from)
    send_frame(call_frame(message.name, calls_.add(message.name, message.from), *value));
  else
    send_frame(port_protocol::send_frame(message.name, *value));
}

/// It has no Erlang form.
void beam_port_bridge::on_unknown(const to_process& message) {
  auto why = tuple_of("unknown_message"_a, actors::binary{caf::to_string(message.content)});
  if (message.from)
    message.from.give(caf::make_message(actors::request_error(std::move(why))));
  else
    send_frame(error_frame("unknown_message", tuple_of(message.name, std::move(why))));
}

void beam_port_bridge::on(process_signal& message) {
  const auto from = caf::actor_cast<caf::actor>(message.from);
  send_frame(signal_frame(message.name, options_->beam->name_of(from), message.reason));
}

/// An actor that has ended already cannot stand behind a link: `process_link_end` tells its reason.
void beam_port_bridge::on(process_link& message) {
  const auto from = caf::actor_cast<caf::actor>(message.from);
  if (from && actors::process::is_alive(from)) {
    known(from);
    send_frame(link_frame(message.name, actors::to_pid(message.from), message.on));
  } else if (message.on) {
    late_links_.emplace(message.name, message.from.id());
  }
}

/// Its own end, which is told as `down`, ends the link in the BEAM, too, if the link is known
/// there.
void beam_port_bridge::on(process_link_end& message) {
  if (late_links_.erase({message.name, message.from.id()}) > 0)
    send_frame(signal_frame(message.name, atoms::undefined(), message.reason));
}

void beam_port_bridge::on(introduce& message) {
  if (!ending_)
    known(message.actor);
}

void beam_port_bridge::known(const caf::actor& actor) {
  if (handles_.find(actor.id()))
    return;
  monitor(actor);
  handles_.add({.address = actor.address(), .is = kind_of(actor)});
}

// -- from the BEAM --------------------------------------------------------------------------------

void beam_port_bridge::on(const gone& frame) {
  calls_.fail_all(frame.name, frame.reason);
  if (const auto known = options_->beam->find(frame.name)) {
    options_->beam->forget(frame.name);
    actors::post(known, process_gone{frame.reason});
  }
}

void beam_port_bridge::on(const port_protocol::reply& frame) {
  const auto* parts = frame.result.get_if<actors::tuple>();
  if (!parts || parts->size() != 2)
    return send_frame(error_frame("bad_frame", frame.result));
  const auto& value = (*parts)[1];
  calls_.answer(frame.name, frame.number,
                frame.result.is_tuple("ok", 2) ? caf::make_message(value)
                                               : caf::make_message(actors::request_error(value)));
}

void beam_port_bridge::on(const port_protocol::proxy& frame) {
  auto* known = handles_.find(frame.id);
  const auto actor = known ? known->actor() : nullptr;
  if (!actor) // it has ended, or nobody has ever heard of it
    return send_frame(down_frame(frame.id, atoms::noproc()));
  known->proxy = frame.pid;
  options_->beam->add_proxy(frame.pid, actor);
}

/// `kill` can be trapped where it is a link's: `Process.exit/2` with it never comes this way.
void beam_port_bridge::on(const exit_from& frame) {
  const auto* to = handles_.find(frame.id);
  const auto actor = to ? to->actor() : nullptr;
  const auto from = options_->beam->actor_of(frame.from);
  if (actor)
    actors::send_exit(actor, from ? from.address() : address(),
                      frame.reason == atoms::kill() ? term{atoms::killed()} : frame.reason);
}

} // namespace penning::bridge
