// What the bridge does with the frames of docs/protocol.md, but for requests.

#include <penning/actors/callback_process.hpp>
#include <penning/bridge/beam_port_bridge.hpp>
#include <penning/bridge/etf.hpp>

#include <memory>
#include <string>
#include <utility>
#include <variant>

#include <unistd.h>

namespace penning::bridge {

using namespace actors::literals;
using namespace port_protocol;
using actors::tuple_of;
namespace atoms = actors::atoms;

void beam_port_bridge::on_packet(std::vector<char> bytes) {
  if (is_batch(bytes))
    return on_batch(bytes);
  const auto piece = to_piece(bytes);
  if (!piece)
    return on_term(std::move(bytes));
  auto outcome = pieces_.add(*piece);
  if (outcome && outcome->refused && !ending_)
    refuse(outcome->begins, "more than " + std::to_string(max_term) + " bytes in pieces");
  else if (outcome)
    on_term(std::move(outcome->whole));
}

void beam_port_bridge::on_batch(std::span<const char> bytes) {
  batch_reader frames{bytes};
  while (const auto frame = frames.next())
    on_decoded(etf::decode(*frame), *frame);
  if (frames.is_cut())
    send_frame(error_frame("bad_term", "a packet that ends within a frame"));
}

/// What is large in it is not copied.
void beam_port_bridge::on_term(std::vector<char> bytes) {
  const auto shared = std::make_shared<const std::vector<char>>(std::move(bytes));
  on_decoded(etf::decode(shared, {.limits = {.max_size = max_term}}), *shared);
}

void beam_port_bridge::on_decoded(const etf::decode_result& frame, std::span<const char> bytes) {
  if (ending_)
    return;
  if (frame)
    dispatch(frame.value);
  else
    refuse(bytes, etf::message(frame));
}

/// To who asked, if that can be read.
void beam_port_bridge::refuse(std::span<const char> bytes, const std::string& why) {
  if (const auto ref = greeted_ ? ref_of_request(bytes) : std::nullopt)
    send_frame(reply_error(*ref, tuple_of("bad_term"_a, actors::binary{why})));
  else
    send_frame(error_frame("bad_term", why));
}

void beam_port_bridge::dispatch(const term& value) {
  const auto frame = parse(value);
  if (!greeted_ && !std::holds_alternative<hello>(frame))
    return send_frame(error_frame("not_greeted", value));
  std::visit([this](const auto& f) { on(f); }, frame);
}

void beam_port_bridge::on(const hello& frame) {
  if (greeted_)
    return send_frame(error_frame("already_greeted", frame.version));
  auto ours = greeting(options_->program, ::getpid(), io_.containment());
  if (frame.version != version) {
    send_frame(error_frame("bad_version", std::move(ours)));
    return stop_all(atoms::kill(), tuple_of("port"_a, "version " + std::to_string(frame.version)
                                                        + " of the protocol is not spoken"));
  }
  greeted_ = true;
  send_frame(ours);
  batches_ = actors::lookup_as<bool>(frame.options, "batches").value_or(false);
}

void beam_port_bridge::on(const port_protocol::request& frame) {
  std::visit([&](const auto& body) { answer(frame.ref, body); }, frame.body);
}

void beam_port_bridge::on(const malformed& frame) {
  send_frame(error_frame("bad_frame", frame.value));
}

void beam_port_bridge::on(const malformed_request& frame) {
  send_frame(reply_error(frame.ref, tuple_of("bad_request"_a, frame.value)));
}

void beam_port_bridge::on(const port_protocol::send& frame) {
  auto* to = handles_.find(frame.id);
  if (!to)
    return; // it has ended meanwhile, which its `down` tells
  const auto actor = to->actor();
  if (actor && to->is == handle_kind::os_process)
    to_os_process(frame, actor);
  else if (to->is == handle_kind::os_supervisor)
    send_frame(error_frame("bad_request", tuple_of("send"_a, frame.id, frame.message)));
  else if (actor)
    actors::post_message(actor, to_message(actor, frame.message, caf::make_message(frame.message)));
}

void beam_port_bridge::on(const port_protocol::cast& frame) {
  const auto* to = handles_.find(frame.id);
  const auto actor = to ? to->actor() : nullptr;
  if (!actor)
    return;
  const bool is_server = to->is == handle_kind::cpp_server;
  if (is_server || to->is == handle_kind::cpp_actor)
    actors::post_message(actor,
                         to_message(actor, frame.message,
                                    is_server ? caf::make_message(actors::cast{frame.message})
                                              : caf::make_message(frame.message)));
}

/// The typed message that a term is, if the actor takes it, else `otherwise`.
caf::message beam_port_bridge::to_message(const caf::actor& to, const term& message,
                                          caf::message otherwise) const {
  auto typed = options_->vocabulary.to_message(message, options_->beam.get());
  if (typed.match_elements<term>())
    return otherwise;
  const auto* server =
    dynamic_cast<actors::callback_process*>(caf::actor_cast<caf::abstract_actor*>(to));
  return server && !server->takes(typed) ? otherwise : typed;
}

void beam_port_bridge::to_os_process(const port_protocol::send& frame, const caf::actor& to) {
  if (auto input = from_term<actors::command>(frame.message))
    write(frame.id, to, std::move(*input));
  else if (from_term<actors::close_stdin>(frame.message))
    actors::send(this, to, actors::close_stdin{});
  else if (from_term<actors::close>(frame.message))
    actors::send(this, to, actors::close{});
  else if (auto order = from_term<actors::signal>(frame.message))
    actors::send(this, to, std::move(*order));
  else if (auto size = from_term<actors::window_size>(frame.message))
    actors::send(this, to, *size);
  else
    send_frame(error_frame("bad_request", tuple_of("send"_a, frame.id, frame.message)));
}

void beam_port_bridge::write(handle_id id, const caf::actor& to, actors::command input) {
  const auto size = input.bytes.size();
  auto tell = [this, id](term message) {
    if (handles_.find(id))
      send_frame(message_frame(id, std::move(message)));
  };
  actors::request(this, to, std::move(input))
    .then([tell, size] { tell(tuple_of("written"_a, size)); },
          [tell, size](const caf::error& error) {
            const auto reason = actors::reason_from(error); // `{Posix, Text}`
            const auto* parts = reason.get_if<actors::tuple>();
            tell(tuple_of("stdin_refused"_a, size, parts ? (*parts)[0] : reason));
          });
}

void beam_port_bridge::on(const ack& frame) {
  if (auto* from = handles_.find(frame.id))
    from->stream(frame.stream).consumed(frame.bytes);
}

void beam_port_bridge::on(const port_protocol::exit& frame) {
  const auto* to = handles_.find(frame.id);
  if (const auto actor = to ? to->actor() : nullptr)
    exit(actor, frame.reason);
}

} // namespace penning::bridge
