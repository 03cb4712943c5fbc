#include <penning/bridge/beam_port_bridge.hpp>

#include <penning/bridge/etf.hpp>
#include <penning/bridge/open_options.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include <unistd.h>

namespace penning::bridge {

namespace {

// What the observer posts: an Asio handler never touches the actor's state.

struct frame_received {
  std::vector<char> bytes;
};
struct port_closed {
  io::packet_port_end end;
};
struct flushed {};
struct stop_overdue {};

/// How long children may take to end once the BEAM is gone, whatever was said when they were
/// opened.
constexpr std::chrono::seconds stop_limit{5};

/// Bytes of commands that one child may have on their way, but for a single larger one.
constexpr std::size_t input_limit = 1024 * 1024;

class observer final : public io::packet_observer {
 public:
  observer(caf::actor bridge, std::function<void()> on_closed)
      : bridge_{std::move(bridge)},
        on_closed_{std::move(on_closed)} {}

  void on_frame(std::vector<char> frame) override {
    actors::post(bridge_, frame_received{std::move(frame)});
  }
  void on_closed(const io::packet_port_end& end) override {
    if (on_closed_)
      on_closed_();
    actors::post(bridge_, port_closed{end});
  }

 private:
  caf::actor bridge_;
  std::function<void()> on_closed_;
};

} // namespace

} // namespace penning::bridge

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::bridge::frame_received)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::bridge::port_closed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::bridge::flushed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::bridge::stop_overdue)

namespace penning::bridge {

using namespace actors::literals;
using namespace port_protocol;
using actors::tuple_of;
namespace atoms = actors::atoms;

beam_port_bridge::beam_port_bridge(caf::actor_config& config, io::context& io,
                                   std::shared_ptr<bridge_options> options)
    : process{config},
      io_{io},
      options_{std::move(options)} {}

actors::start_result beam_port_bridge::init() {
  trap_exit(true);
  port_ = std::make_unique<io::packet_port>(
    io_.asio(), std::move(options_->in), std::move(options_->out),
    std::make_shared<observer>(caf::actor{this}, options_->on_closed));
  port_->start();
  for (const auto& [name, actor] : options_->published)
    monitor(actor);
  return {};
}

caf::message_handler beam_port_bridge::receive() {
  return {
    [this](frame_received& message) {
      on_frame(message.bytes);
      if (port_)
        port_->consumed(message.bytes.size());
    },
    [this](port_closed& message) { on_closed(message.end); },
    [this](flushed) { exit(*ending_); },
    [this](stop_overdue) { signal_all(atoms::kill()); },
    [this](actors::data& message) {
      const auto size = message.bytes.size();
      return on_output(io::output::out, to_term(std::move(message)), size);
    },
    [this](actors::error& message) {
      const auto size = message.bytes.size();
      return on_output(io::output::err, to_term(std::move(message)), size);
    },
    [this](actors::closed& message) {
      send_frame(message_frame(sender_id(), to_term(std::move(message))));
    },
    [this](actors::exited& message) {
      send_frame(message_frame(sender_id(), to_term(std::move(message))));
    },
  };
}

// -- frames ---------------------------------------------------------------------------------------

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
  auto* to = find(frame.id);
  if (!to)
    return; // it has ended meanwhile, which its `down` tells
  if (to->is_os_process)
    to_os_process(frame, *to);
  else
    actors::post_message(to->actor, options_->vocabulary.to_message(frame.message));
}

void beam_port_bridge::to_os_process(const port_protocol::send& frame, handle& to) {
  if (auto input = from_term<actors::command>(frame.message))
    write(frame.id, to, std::move(*input));
  else if (from_term<actors::close_stdin>(frame.message))
    actors::send(this, to.actor, actors::close_stdin{});
  else if (from_term<actors::close>(frame.message))
    actors::send(this, to.actor, actors::close{});
  else
    send_frame(error_frame("bad_request", tuple_of("send"_a, frame.id, frame.message)));
}

void beam_port_bridge::write(handle_id id, handle& to, actors::command input) {
  const auto size = input.bytes.size();
  if (to.input > 0 && to.input + size > input_limit)
    return send_frame(error_frame("overflow", tuple_of(id, size)));
  to.input += size;
  // What is not taken, because stdin is closed, is not on its way either.
  auto written = [this, id, size] {
    if (auto* known = find(id)) {
      known->input -= size;
      send_frame(message_frame(id, tuple_of("written"_a, size)));
    }
  };
  actors::request(this, to.actor, std::move(input)).then(written, [written](const caf::error&) {
    written();
  });
}

void beam_port_bridge::on(const ack& frame) {
  auto* from = find(frame.id);
  if (!from)
    return;
  auto& waiting = from->output[frame.stream == io::output::out ? 0 : 1];
  auto bytes = frame.bytes;
  while (!waiting.empty() && waiting.front().bytes <= bytes) {
    bytes -= waiting.front().bytes;
    waiting.front().answer.deliver(caf::unit);
    waiting.pop_front();
  }
  if (!waiting.empty())
    waiting.front().bytes -= bytes;
}

void beam_port_bridge::on(const port_protocol::exit& frame) {
  if (auto* to = find(frame.id))
    exit(to->actor, frame.reason);
}

// -- requests -------------------------------------------------------------------------------------

void beam_port_bridge::answer(const term& ref, const open& request) {
  try {
    auto options = to_options(request.program, request.args, request.options);
    auto child = start_link<actors::os_process>(io_, caf::actor{this}, std::move(options));
    if (!child.pid)
      return send_frame(reply_error(ref, child.result.value));
    opening_.emplace(child.pid.id(), std::pair{child.pid, ref});
  } catch (const io::option_error& error) {
    send_frame(reply_error(ref, actors::bad_option(error)));
  }
}

void beam_port_bridge::handle_ack(const caf::actor_addr& child,
                                  const actors::start_result& result) {
  auto opened = opening_.extract(child.id());
  if (opened.empty())
    return;
  const auto& [actor, ref] = opened.mapped();
  if (result.how == actors::start_result::kind::stop)
    return send_frame(reply_error(ref, result.value));
  handles_.emplace(child.id(), handle{actor, true});
  send_frame(reply_ok(ref, tuple_of(child.id(), result.value)));
  if (ending_)
    exit(actor, atoms::kill());
}

void beam_port_bridge::answer(const term& ref, const whereis& request) {
  const auto* atom = request.name.get_if<actors::atom>();
  const auto text =
    atom ? std::optional{std::string{atom->text()}} : request.name.as<std::string>();
  const auto found = text ? options_->published.find(*text) : options_->published.end();
  if (found == options_->published.end())
    return send_frame(reply_error(ref, "not_found"_a));
  const auto& actor = found->second;
  handles_.emplace(actor.id(), handle{actor, false});
  send_frame(reply_ok(ref, actor.id()));
}

void beam_port_bridge::answer(const term& ref, const call& request) {
  auto* to = find(request.id);
  if (!to)
    return send_frame(reply_error(ref, atoms::noproc()));
  if (to->is_os_process)
    return send_frame(reply_error(ref, tuple_of("bad_request"_a, request.message)));
  const auto number = ++last_call_;
  to->calls.emplace(number, ref);
  actors::request_message(
    this, to->actor, options_->vocabulary.to_message(request.message),
    [this, number, id = request.id](const caf::message& answer) {
      const auto value = options_->vocabulary.from_message(answer);
      if (const auto caller = take_call(id, number))
        send_frame(value ? reply_ok(*caller, *value) : reply_error(*caller, "unknown_answer"_a));
    },
    [this, number, id = request.id](const caf::error& error) {
      if (const auto caller = take_call(id, number))
        send_frame(reply_error(*caller, actors::reason_from(error)));
    });
}

std::optional<term> beam_port_bridge::take_call(handle_id id, std::uint64_t number) {
  auto* to = find(id);
  auto call = to ? to->calls.extract(number) : decltype(to->calls.extract(number)){};
  return call ? std::optional{call.mapped()} : std::nullopt; // else answered when the actor ended
}

void beam_port_bridge::answer(const term& ref, const port_protocol::os_pid& request) {
  auto* to = find(request.id);
  if (!to || !to->is_os_process)
    return send_frame(reply_error(ref, atoms::noproc()));
  actors::request(this, to->actor, actors::os_pid{})
    .then(
      [this, ref](const actors::os_pid_reply& answer) {
        send_frame(reply_ok(ref, answer.pid > 0 ? term{answer.pid} : term{atoms::undefined()}));
      },
      [this, ref](const caf::error&) { send_frame(reply_ok(ref, atoms::undefined())); });
}

void beam_port_bridge::answer(const term& ref, const info&) {
  send_frame(reply_ok(ref, actors::map_of({{"children"_a, io_.children()},
                                           {"containment"_a, actors::binary{io_.containment()}},
                                           {"os_pid"_a, ::getpid()},
                                           {"version"_a, actors::binary{PENNING_VERSION}}})));
}

// -- from the actors ------------------------------------------------------------------------------

caf::result<void> beam_port_bridge::on_output(io::output stream, term message, std::size_t bytes) {
  const auto id = sender_id();
  auto* from = find(id);
  if (!from || ending_)
    return caf::unit; // nobody is left to read it
  actors::pending_answer answer{make_response_promise()};
  from->output[stream == io::output::out ? 0 : 1].push_back({bytes, answer});
  send_frame(message_frame(id, std::move(message)));
  return answer.promise();
}

beam_port_bridge::handle_id beam_port_bridge::sender_id() {
  const auto& from = current_sender();
  return from ? from->id() : 0;
}

void beam_port_bridge::handle_exit(const caf::actor_addr& from, const term& reason) {
  if (from == parent())
    return stop_all(atoms::shutdown(), reason);
  on_end_of(from, reason);
}

void beam_port_bridge::handle_down(const actors::down& message) {
  std::erase_if(options_->published,
                [&](const auto& entry) { return entry.second.address() == message.from; });
  on_end_of(message.from, message.reason);
}

void beam_port_bridge::on_end_of(const caf::actor_addr& actor, const term& reason) {
  if (const auto opening = opening_.extract(actor.id())) // it has ended without an answer
    send_frame(reply_error(opening.mapped().second, reason));
  if (auto ended = handles_.extract(actor.id())) {
    for (const auto& [number, ref] : ended.mapped().calls)
      send_frame(reply_error(ref, reason));
    send_frame(down_frame(actor.id(), reason));
  }
  end_if_alone();
}

// -- the end --------------------------------------------------------------------------------------

void beam_port_bridge::on_closed(const io::packet_port_end& end) {
  using kind = io::packet_port_end::kind;
  // A BEAM that has gone away while something was written to it is gone all the same.
  if (end.how == kind::end_of_stream || end.how == kind::write_failed)
    stop_all(atoms::shutdown(), atoms::normal());
  else
    stop_all(atoms::kill(), tuple_of("port"_a, io::to_string(end)));
}

void beam_port_bridge::stop_all(const term& signal, term reason) {
  if (ending_)
    return;
  ending_ = std::move(reason);
  for (auto& [id, known] : handles_) {
    for (auto& stream : known.output) // nobody will acknowledge any more
      for (auto& output : std::exchange(stream, {}))
        output.answer.deliver(caf::unit);
  }
  signal_all(signal);
  actors::send_after(this, stop_limit, stop_overdue{});
  end_if_alone();
}

void beam_port_bridge::signal_all(const term& signal) {
  for (auto& [id, known] : handles_)
    if (known.is_os_process)
      exit(known.actor, signal);
  for (auto& [id, opened] : opening_)
    exit(opened.first, atoms::kill());
}

void beam_port_bridge::end_if_alone() {
  const bool alone = opening_.empty() && std::ranges::none_of(handles_, [](const auto& entry) {
                       return entry.second.is_os_process;
                     });
  if (!ending_ || !alone || !port_)
    return;
  port_->flush_then_close([self = caf::actor{this}] { actors::post(self, flushed{}); });
}

void beam_port_bridge::terminate(const term&) {
  handles_.clear();
  opening_.clear();
  options_.reset();
  port_.reset();
}

beam_port_bridge::handle* beam_port_bridge::find(handle_id id) {
  const auto found = handles_.find(id);
  return found == handles_.end() ? nullptr : &found->second;
}

void beam_port_bridge::send_frame(const term& frame) {
  if (port_)
    port_->send(etf::encode(frame));
}

} // namespace penning::bridge
