// What the bridge does for the requests of docs/protocol.md.

#include <penning/actors/os_process_words.hpp>
#include <penning/bridge/beam_port_bridge.hpp>
#include <penning/bridge/open_options.hpp>
#include <penning/bridge/os_process_call.hpp>
#include <penning/bridge/supervisor_call.hpp>
#include <penning/supervision/supervisor.hpp>

#include <string>
#include <utility>

#include <unistd.h>

namespace penning::bridge {

using namespace actors::literals;
using namespace port_protocol;
using actors::tuple_of;
namespace atoms = actors::atoms;

// -- starts ---------------------------------------------------------------------------------------

void beam_port_bridge::answer(const term& ref, const open& request) {
  try {
    auto options = to_options(request.program, request.args, request.options);
    const bool waits = options.ready.has_value();
    watch_start(ref, start_link<actors::os_process>(io_, caf::actor{this}, std::move(options)),
                handle_kind::os_process, waits);
  } catch (const io::option_error& error) {
    send_frame(reply_error(ref, actors::bad_option(error)));
  }
}

void beam_port_bridge::answer(const term& ref, const adopt& request) {
  try {
    auto options = actors::adopt_options_from(request.os_pid, request.options);
    watch_start(ref, start_link<actors::adopted_process>(io_, caf::actor{this}, std::move(options)),
                handle_kind::os_process, false);
  } catch (const io::option_error& error) {
    send_frame(reply_error(ref, actors::bad_option(error)));
  }
}

void beam_port_bridge::answer(const term& ref, const supervise& request) {
  try {
    auto spec = to_supervisor_spec(request.flags, request.specs, maker());
    supervision::supervisor_options options{
      .flags = spec.flags, .children = std::move(spec.children), .name = "penning"};
    watch_start(ref, start_link<supervision::supervisor>(std::move(options)),
                handle_kind::supervisor, true);
  } catch (const supervision::spec_error& error) {
    send_frame(reply_error(ref, error.reason()));
  } catch (const io::option_error& error) {
    send_frame(reply_error(ref, actors::bad_option(error)));
  }
}

void beam_port_bridge::watch_start(const term& ref, actors::started child, handle_kind is,
                                   bool announce) {
  using enum actors::start_result::kind;
  if (!child.pid)
    return send_frame(reply_error(ref, child.result.value));
  if (announce)
    send_frame(starting_frame(ref, child.pid.id()));
  auto& handle = handles_.add({.actor = child.pid, .is = is, .starting = ref});
  if (child.result.how == ok)
    on_up(handle, child.result.value);
}

void beam_port_bridge::handle_ack(const caf::actor_addr& child,
                                  const actors::start_result& result) {
  auto* starting = handles_.find(child.id());
  if (!starting || !starting->starting)
    return;
  if (result.how == actors::start_result::kind::stop)
    return on_end_of(child, result.value);
  on_up(*starting, result.value);
  if (ending_ && starting->is == handle_kind::os_process)
    exit(starting->actor, atoms::kill());
}

void beam_port_bridge::on_up(actor_handle& handle, const term& info) {
  const auto ref = *std::exchange(handle.starting, std::nullopt);
  const auto id = handle.actor.id();
  send_frame(reply_ok(ref, handle.is == handle_kind::supervisor ? term{id} : tuple_of(id, info)));
}

void beam_port_bridge::answer(const term& ref, const whereis& request) {
  const auto* atom = request.name.get_if<actors::atom>();
  const auto text =
    atom ? std::optional{std::string{atom->text()}} : request.name.as<std::string>();
  const auto found = text ? options_->published.find(*text) : options_->published.end();
  if (found == options_->published.end())
    return send_frame(reply_error(ref, "not_found"_a));
  const auto& actor = found->second;
  handles_.add({.actor = actor});
  send_frame(reply_ok(ref, actor.id()));
}

// -- calls ----------------------------------------------------------------------------------------

void beam_port_bridge::answer(const term& ref, const call& request) {
  const auto* to = handles_.find(request.id);
  if (!to)
    return send_frame(reply_error(ref, atoms::noproc()));
  if (to->is == handle_kind::supervisor)
    return ask_supervisor(ref, request.id, request.message);
  if (to->is == handle_kind::os_process)
    return ask_os_process(ref, request.id, request.message);
  ask(ref, request.id, options_->vocabulary.to_message(request.message),
      [this](const caf::message& answer) { return options_->vocabulary.from_message(answer); });
}

void beam_port_bridge::ask_supervisor(const term& ref, handle_id id, const term& message) {
  try {
    auto request = to_supervisor_request(message, maker());
    if (!request)
      return send_frame(reply_error(ref, tuple_of("bad_request"_a, message)));
    ask(ref, id, std::move(*request), from_supervisor_answer);
  } catch (const supervision::spec_error& error) { // what `start_child` returns
    send_frame(reply_ok(ref, tuple_of(atoms::error(), error.reason())));
  } catch (const io::option_error& error) {
    send_frame(reply_error(ref, actors::bad_option(error)));
  }
}

void beam_port_bridge::ask_os_process(const term& ref, handle_id id, const term& message) {
  if (auto request = to_os_process_request(message))
    ask(ref, id, std::move(*request), from_os_process_answer);
  else
    send_frame(reply_error(ref, tuple_of("bad_request"_a, message)));
}

void beam_port_bridge::ask(const term& ref, handle_id id, caf::message message, reader read) {
  auto* to = handles_.find(id);
  const auto number = ++last_call_;
  to->calls.emplace(number, ref);
  actors::request_message(
    this, to->actor, std::move(message),
    [this, number, id, read = std::move(read)](const caf::message& answer) {
      const auto value = read(answer);
      if (const auto caller = take_call(id, number))
        send_frame(value ? reply_ok(*caller, *value) : reply_error(*caller, "unknown_answer"_a));
    },
    [this, number, id](const caf::error& error) {
      if (const auto caller = take_call(id, number))
        send_frame(reply_error(*caller, actors::reason_from(error)));
    });
}

std::optional<term> beam_port_bridge::take_call(handle_id id, std::uint64_t number) {
  auto* to = handles_.find(id);
  auto call = to ? to->calls.extract(number) : decltype(to->calls.extract(number)){};
  return call ? std::optional{call.mapped()} : std::nullopt; // else answered when the actor ended
}

void beam_port_bridge::answer(const term& ref, const info&) {
  send_frame(reply_ok(ref, actors::map_of({{"children"_a, io_.children()},
                                           {"containment"_a, actors::binary{io_.containment()}},
                                           {"os_pid"_a, ::getpid()},
                                           {"version"_a, actors::binary{PENNING_VERSION}}})));
}

} // namespace penning::bridge
