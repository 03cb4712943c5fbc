// What the bridge does for the requests of docs/protocol.md.

#include <penning/actors/os_process_words.hpp>
#include <penning/bridge/beam_port_bridge.hpp>
#include <penning/bridge/open_options.hpp>
#include <penning/bridge/os_process_call.hpp>
#include <penning/bridge/supervisor_call.hpp>
#include <penning/supervision/supervisor.hpp>

#include <exception>
#include <optional>
#include <string>
#include <utility>

#include <unistd.h>

namespace penning::bridge {

using namespace actors::literals;
using namespace port_protocol;
using actors::tuple_of;
namespace atoms = actors::atoms;

namespace {

bool is_cpp(actor_handle::kind kind) {
  return kind != actor_handle::kind::os_process && kind != actor_handle::kind::os_supervisor;
}

/// Of a name: an atom or a binary.
std::optional<std::string> name_text(const term& name) {
  const auto* atom = name.get_if<actors::atom>();
  return atom ? std::optional{std::string{atom->text()}} : name.as<std::string>();
}

} // namespace

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
                handle_kind::os_supervisor, true);
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
  auto& handle = handles_.add(
    {.address = child.pid.address(), .is = is, .owned = child.pid, .starting = ref});
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
    exit(starting->owned, atoms::kill());
}

void beam_port_bridge::on_up(actor_handle& handle, const term& info) {
  const auto ref = *std::exchange(handle.starting, std::nullopt);
  const auto id = handle.address.id();
  send_frame(reply_ok(ref, handle.is == handle_kind::os_process ? tuple_of(id, info) : term{id}));
}

/// The program's own start function makes an actor that is linked to the bridge.
void beam_port_bridge::answer(const term& ref, const port_protocol::start& request) {
  const auto name = name_text(request.name);
  const auto found = name ? options_->startable.find(*name) : options_->startable.end();
  const auto* arguments = request.arguments.get_if<actors::list>();
  if (found == options_->startable.end())
    return send_frame(reply_error(ref, "not_found"_a));
  if (!arguments && !request.arguments.is_nil())
    return send_frame(reply_error(ref, tuple_of("bad_request"_a, request.arguments)));
  actors::started child;
  try {
    child = found->second(*this, arguments ? *arguments : actors::list{});
  } catch (...) {
    child.result = {actors::start_result::kind::stop,
                    actors::exception_reason(std::current_exception())};
  }
  if (!child.pid && child.result.how == actors::start_result::kind::ignore)
    return send_frame(reply_error(ref, "ignore"_a));
  watch_start(ref, child, child.pid ? kind_of(child.pid) : handle_kind::cpp_actor, true);
}

void beam_port_bridge::answer(const term& ref, const whereis& request) {
  const auto actor = published(request.name);
  if (!actor)
    return send_frame(reply_error(ref, "not_found"_a));
  known(actor);
  send_frame(reply_ok(ref, actor.id()));
}

caf::actor beam_port_bridge::published(const term& name) {
  const auto text = name_text(name);
  if (!text)
    return {};
  if (const auto found = options_->published.find(*text); found != options_->published.end())
    return found->second;
  return options_->published_names.contains(*text)
           ? actors::whereis(system(), term{actors::atom{std::string_view{*text}}})
           : caf::actor{};
}

// -- calls ----------------------------------------------------------------------------------------

void beam_port_bridge::answer(const term& ref, const call& request) {
  const auto* to = handles_.find(request.id);
  if (!to || !to->actor())
    return send_frame(reply_error(ref, atoms::noproc()));
  switch (to->is) {
  case handle_kind::os_process: return ask_os_process(ref, *to, request.message);
  case handle_kind::os_supervisor: return ask_os_supervisor(ref, *to, request.message);
  case handle_kind::cpp_supervisor: return ask_cpp_supervisor(ref, *to, request.message);
  case handle_kind::cpp_actor:
  case handle_kind::cpp_server: return ask_cpp_actor(ref, *to, request.message);
  }
}

void beam_port_bridge::ask_os_supervisor(const term& ref, const actor_handle& to,
                                         const term& message) {
  try {
    auto request = to_supervisor_request(
      message, {.to_start = [this](const term& spec) -> supervision::start_child {
                  return {to_child_spec(spec, maker())};
                },
                .to_ref = [](const term& id) -> supervision::child_ref { return id; }});
    if (!request)
      return send_frame(reply_error(ref, tuple_of("bad_request"_a, message)));
    ask(ref, to, std::move(*request), [](const caf::message& answer) {
      return from_supervisor_answer(answer, [](const caf::actor& child) { return child.id(); });
    });
  } catch (const supervision::spec_error& error) { // what `start_child` returns
    send_frame(reply_ok(ref, tuple_of(atoms::error(), error.reason())));
  } catch (const io::option_error& error) {
    send_frame(reply_error(ref, actors::bad_option(error)));
  }
}

/// Its children are pids; a specification is what its own start functions make of it.
void beam_port_bridge::ask_cpp_supervisor(const term& ref, const actor_handle& to,
                                          const term& message) {
  auto request = to_supervisor_request(
    message, {.to_start = [](const term& spec) -> supervision::start_child { return {spec}; },
              .to_ref = [this](const term& child) -> supervision::child_ref {
                const auto* pid = child.get_if<actors::pid>();
                const auto actor = pid ? options_->beam->actor_of(*pid) : nullptr;
                return actor ? supervision::child_ref{actor} : supervision::child_ref{child};
              }});
  if (!request)
    return ask_cpp_actor(ref, to, message);
  ask(ref, to, std::move(*request), [this](const caf::message& answer) {
    return from_supervisor_answer(
      answer, [this](const caf::actor& child) { return options_->beam->name_of(child); });
  });
}

void beam_port_bridge::ask_os_process(const term& ref, const actor_handle& to,
                                      const term& message) {
  if (auto request = to_os_process_request(message))
    ask(ref, to, std::move(*request), from_os_process_answer);
  else
    send_frame(reply_error(ref, tuple_of("bad_request"_a, message)));
}

void beam_port_bridge::ask_cpp_actor(const term& ref, const actor_handle& to, const term& message) {
  const bool is_server = to.is == handle_kind::cpp_server;
  auto plain =
    is_server ? caf::make_message(actors::call{message}) : caf::make_message(message);
  ask(ref, to, to_message(to.actor(), message, std::move(plain)),
      [this](const caf::message& answer) {
        return options_->vocabulary.from_message(answer, options_->beam.get());
      });
}

/// What a C++ actor has not answered when it ends has its `down` for an answer. What an OS process
/// has not is answered all the same: who asks may be another than who hears its `down`.
void beam_port_bridge::ask(const term& ref, const actor_handle& to, caf::message message,
                           reader read) {
  actors::request_message(
    this, to.actor(), std::move(message),
    [this, ref, read = std::move(read)](const caf::message& answer) {
      const auto value = read(answer);
      send_frame(value ? reply_ok(ref, *value) : reply_error(ref, "unknown_answer"_a));
    },
    [this, ref, by_down = is_cpp(to.is)](const caf::error& error) {
      if (!by_down || !actors::is_end(error))
        send_frame(reply_error(ref, actors::reason_from(error)));
    });
}

void beam_port_bridge::answer(const term& ref, const info&) {
  send_frame(reply_ok(ref, actors::map_of({{"children"_a, io_.children()},
                                           {"containment"_a, actors::binary{io_.containment()}},
                                           {"os_pid"_a, ::getpid()},
                                           {"version"_a, actors::binary{PENNING_VERSION}}})));
}

} // namespace penning::bridge
