// What the bridge does with the frames of docs/protocol.md, but for requests.

#include <penning/bridge/beam_port_bridge.hpp>
#include <penning/bridge/etf.hpp>

#include <string>
#include <utility>
#include <variant>

#include <unistd.h>

namespace penning::bridge {

using namespace actors::literals;
using namespace port_protocol;
using actors::tuple_of;
namespace atoms = actors::atoms;

namespace {

/// Bytes of commands that one child may have on their way, but for a single larger one.
constexpr std::size_t input_limit = 1024 * 1024;

} // namespace

void beam_port_bridge::on_frame(const std::vector<char>& bytes) {
  if (ending_)
    return;
  const auto decoded = etf::decode(bytes);
  if (decoded)
    dispatch(decoded.value);
  else
    send_frame(error_frame("bad_term", etf::message(decoded)));
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
  if (to->is == handle_kind::os_process)
    to_os_process(frame, *to);
  else if (to->is == handle_kind::supervisor)
    send_frame(error_frame("bad_request", tuple_of("send"_a, frame.id, frame.message)));
  else
    actors::post_message(to->actor, options_->vocabulary.to_message(frame.message));
}

void beam_port_bridge::to_os_process(const port_protocol::send& frame, actor_handle& to) {
  if (auto input = from_term<actors::command>(frame.message))
    write(frame.id, to, std::move(*input));
  else if (from_term<actors::close_stdin>(frame.message))
    actors::send(this, to.actor, actors::close_stdin{});
  else if (from_term<actors::close>(frame.message))
    actors::send(this, to.actor, actors::close{});
  else
    send_frame(error_frame("bad_request", tuple_of("send"_a, frame.id, frame.message)));
}

void beam_port_bridge::write(handle_id id, actor_handle& to, actors::command input) {
  const auto size = input.bytes.size();
  if (to.input > 0 && to.input + size > input_limit)
    return send_frame(error_frame("overflow", tuple_of(id, size)));
  to.input += size;
  // What is not taken, because stdin is closed, is not on its way either.
  auto written = [this, id, size] {
    if (auto* known = handles_.find(id)) {
      known->input -= size;
      send_frame(message_frame(id, tuple_of("written"_a, size)));
    }
  };
  actors::request(this, to.actor, std::move(input)).then(written, [written](const caf::error&) {
    written();
  });
}

void beam_port_bridge::on(const ack& frame) {
  if (auto* from = handles_.find(frame.id))
    from->stream(frame.stream).consumed(frame.bytes);
}

void beam_port_bridge::on(const port_protocol::exit& frame) {
  if (auto* to = handles_.find(frame.id))
    exit(to->actor, frame.reason);
}

} // namespace penning::bridge
