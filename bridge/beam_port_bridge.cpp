#include <penning/bridge/beam_port_bridge.hpp>

#include <penning/bridge/etf.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace penning::bridge {

namespace {

// What the observer posts: an Asio handler never touches the actor's state.

struct packets_received {
  std::vector<std::vector<char>> packets;
};
struct port_closed {
  io::packet_port_end end;
};
struct flushed {};
struct send_held {};
struct stop_overdue {};

/// How long children may take to end once the BEAM is gone, whatever was said when they were
/// opened.
constexpr std::chrono::seconds stop_limit{5};

/// What acknowledges a line or a piece of one: an empty one is something as well.
std::size_t weight_of(const actors::line& line) {
  return line.bytes.size() + 1;
}

class observer final : public io::packet_observer {
 public:
  observer(caf::actor bridge, std::function<void()> on_closed)
      : bridge_{std::move(bridge)},
        on_closed_{std::move(on_closed)} {}

  void on_frames(std::vector<std::vector<char>> packets) override {
    actors::post(bridge_, packets_received{std::move(packets)});
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

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::bridge::packets_received)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::bridge::port_closed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::bridge::flushed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::bridge::send_held)
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
  options_->beam->attach(caf::actor{this});
  return {};
}

caf::message_handler beam_port_bridge::receive() {
  return about_beam_processes().or_else(caf::message_handler{
    [this](packets_received& message) { on_packets(message.packets); },
    [this](send_held) {
      holds_ = false;
      send_batch();
    },
    [this](port_closed& message) { on_closed(message.end); },
    [this](flushed) { exit(*ending_); },
    [this](stop_overdue) { signal_all(atoms::kill()); },
    [this](child_announced& message) { on_announced(message); },
    [this](actors::data& message) {
      const auto size = message.bytes.size();
      return on_output(io::output::out, to_term(std::move(message)), size);
    },
    [this](actors::error& message) {
      const auto size = message.bytes.size();
      return on_output(io::output::err, to_term(std::move(message)), size);
    },
    [this](actors::data_line& message) {
      const auto size = weight_of(message.line);
      return on_output(io::output::out, to_term(std::move(message)), size);
    },
    [this](actors::error_line& message) {
      const auto size = weight_of(message.line);
      return on_output(io::output::err, to_term(std::move(message)), size);
    },
    [this](actors::stdin_busy& message) { pass_on(message); },
    [this](actors::stdin_ready& message) { pass_on(message); },
    [this](actors::stdin_closed& message) { pass_on(message); },
    [this](actors::closed& message) { pass_on(message); },
    [this](actors::exited& message) { pass_on(message); },
  });
}

void beam_port_bridge::on_packets(std::vector<std::vector<char>>& packets) {
  for (auto& packet : packets) {
    const auto size = packet.size();
    on_packet(std::move(packet));
    if (port_)
      port_->consumed(size);
  }
}

// -- from the actors ------------------------------------------------------------------------------

caf::result<void> beam_port_bridge::on_output(io::output stream, term message, std::size_t bytes) {
  const auto id = sender_id();
  auto* from = handles_.find(id);
  if (!from || ending_)
    return caf::unit; // nobody is left to read it
  actors::pending_answer answer{make_response_promise()};
  from->stream(stream).push(bytes, answer);
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

/// By monitor as well, for one that could not even be made has no link.
void beam_port_bridge::on_announced(child_announced& message) {
  const auto id = message.child.id();
  monitor(message.child);
  handles_.add({.address = message.child.address(),
                .is = handle_kind::os_process,
                .owned = message.child,
                .supervisor = message.supervisor});
  send_frame(message_frame(message.supervisor, tuple_of("child"_a, message.id, id)));
  if (ending_)
    exit(message.child, atoms::kill());
}

void beam_port_bridge::on_end_of(const caf::actor_addr& actor, const term& reason) {
  for (auto& end : handles_.remove(actor.id(), reason))
    tell_end(end);
  end_if_alone();
}

void beam_port_bridge::tell_end(handle_table::ended& end) {
  if (const auto& proxy = end.handle.proxy)
    options_->beam->remove_proxy(*proxy);
  if (const auto& ref = end.handle.starting) // it has ended before it was up
    send_frame(reply_error(*ref, end.reason));
  else
    send_frame(down_frame(end.which, end.reason));
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
    for (auto& stream : known.output)
      stream.release();
  }
  options_->beam->detach();
  calls_.fail_all(atoms::noconnection());
  signal_all(signal);
  actors::send_after(this, stop_limit, stop_overdue{});
  end_if_alone();
}

/// A supervisor stops its children itself, unless they are killed.
void beam_port_bridge::signal_all(const term& signal) {
  const bool kill = signal == atoms::kill();
  for (auto& [id, known] : handles_) {
    if (!known.owned || (known.supervisor != 0 && !kill))
      continue;
    const bool opening = known.starting && known.is == handle_kind::os_process;
    exit(known.owned, opening ? term{atoms::kill()} : signal);
  }
}

void beam_port_bridge::end_if_alone() {
  if (!ending_ || !handles_.owns_none() || !port_)
    return;
  send_batch();
  port_->flush_then_close([self = caf::actor{this}] { actors::post(self, flushed{}); });
}

void beam_port_bridge::terminate(const term&) {
  send_batch();
  options_->beam->detach();
  calls_.fail_all(atoms::noconnection());
  handles_.clear();
  options_.reset();
  port_.reset();
}

void beam_port_bridge::send_frame(const term& frame) {
  if (!port_)
    return;
  encoded_.clear();
  named_.clear();
  etf::encode(frame, encoded_, {.pids = &named_});
  std::erase_if(named_, [](const auto& pid) { return pid.node != actors::own_node(); });
  if (!named_.empty())
    encoded_ = with_handles(named_, encoded_);
  if (!batches_ || !batch_.takes(encoded_.size()))
    send_batch();
  if (batches_ && batch_.takes(encoded_.size()))
    hold(encoded_);
  else if (encoded_.size() <= max_frame)
    port_->send(std::exchange(encoded_, {}));
  else
    for (auto& piece : to_pieces(std::exchange(encoded_, {}), ++last_pieces_))
      port_->send(std::move(piece));
}

/// Once the mailbox is seen to as it stands now, it is sent.
void beam_port_bridge::hold(std::span<const char> frame) {
  if (!std::exchange(holds_, true))
    actors::post(caf::actor{this}, send_held{});
  batch_.add(frame);
}

void beam_port_bridge::send_batch() {
  if (port_ && !batch_.empty())
    port_->send(batch_.take());
}

} // namespace penning::bridge
