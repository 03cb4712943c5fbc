#pragma once

#include <penning/actors/os_process.hpp>
#include <penning/bridge/actor_handle.hpp>
#include <penning/bridge/beam.hpp>
#include <penning/bridge/calls_to_beam.hpp>
#include <penning/bridge/etf.hpp>
#include <penning/bridge/frame_batch.hpp>
#include <penning/bridge/frame_pieces.hpp>
#include <penning/bridge/port_protocol.hpp>
#include <penning/bridge/supervise_options.hpp>
#include <penning/bridge/vocabulary.hpp>
#include <penning/io/context.hpp>
#include <penning/io/packet_port.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace penning::bridge {

/// What a bridge stands between.
struct bridge_options {
  std::string program;                         ///< Told in the greeting.
  std::map<std::string, caf::actor> published; ///< Actors that the BEAM may look up, by name.
  std::set<std::string> published_names;       ///< Likewise, whoever is registered under these.
  std::map<std::string, supervision::start_function> startable; ///< What the BEAM may start.
  bridge::vocabulary vocabulary;                                ///< Message types of those actors.
  std::shared_ptr<bridge::beam> beam;
  io::unique_fd in;                ///< Frames from the BEAM.
  io::unique_fd out;               ///< Frames to the BEAM.
  std::function<void()> on_closed; ///< Told on the thread of the context, at once.
};

/// The BEAM on the other side of a pair of descriptors, as one actor: what docs/protocol.md says.
///
/// It owns the OS processes and supervisors that the BEAM starts. When the BEAM closes the port (or
/// dies) it stops them all and ends with `normal`; when what comes in is no frame it kills them and
/// ends with `{port, Text}`. In both cases every child is gone before its end is told.
class beam_port_bridge : public actors::process {
 public:
  /// `io` outlives the actor.
  beam_port_bridge(caf::actor_config& config, io::context& io,
                   std::shared_ptr<bridge_options> options);

  const char* name() const override { return "penning.beam_port_bridge"; }

 protected:
  actors::start_result init() override;
  caf::message_handler receive() override;
  void handle_ack(const caf::actor_addr& child, const actors::start_result& result) override;
  void handle_exit(const caf::actor_addr& from, const term& reason) override;
  void handle_down(const actors::down& message) override;
  void terminate(const term& reason) override;

 private:
  using handle_id = port_protocol::handle_id;

  using handle_kind = actor_handle::kind;
  using reader = std::function<std::optional<term>(const caf::message&)>;

  void on_packets(std::vector<std::vector<char>>& packets);
  void on_packet(std::vector<char> bytes);
  void on_batch(std::span<const char> bytes);
  void on_term(std::vector<char> bytes);
  void on_decoded(const etf::decode_result& frame, std::span<const char> bytes);
  void refuse(std::span<const char> bytes, const std::string& why);
  void on_closed(const io::packet_port_end& end);
  void dispatch(const term& frame);

  void on(const port_protocol::hello& frame);
  void on(const port_protocol::request& frame);
  void on(const port_protocol::send& frame);
  void on(const port_protocol::cast& frame);
  void on(const port_protocol::ack& frame);
  void on(const port_protocol::exit& frame);
  void on(const port_protocol::exit_from& frame);
  void on(const port_protocol::proxy& frame);
  void on(const port_protocol::gone& frame);
  void on(const port_protocol::reply& frame);
  void on(const port_protocol::malformed& frame);
  void on(const port_protocol::malformed_request& frame);

  void answer(const term& ref, const port_protocol::open& request);
  void answer(const term& ref, const port_protocol::supervise& request);
  void answer(const term& ref, const port_protocol::start& request);
  void answer(const term& ref, const port_protocol::whereis& request);
  void answer(const term& ref, const port_protocol::call& request);
  void answer(const term& ref, const port_protocol::adopt& request);
  void answer(const term& ref, const port_protocol::info& request);

  void watch_start(const term& ref, actors::started child, handle_kind is, bool announce);
  void on_up(actor_handle& handle, const term& info);
  caf::actor published(const term& name);
  void ask_os_supervisor(const term& ref, const actor_handle& to, const term& message);
  void ask_cpp_supervisor(const term& ref, const actor_handle& to, const term& message);
  void ask_os_process(const term& ref, const actor_handle& to, const term& message);
  void ask_cpp_actor(const term& ref, const actor_handle& to, const term& message);
  void ask(const term& ref, const actor_handle& to, caf::message message, reader read);

  caf::message to_message(const caf::actor& to, const term& message, caf::message otherwise) const;
  void to_os_process(const port_protocol::send& frame, const caf::actor& to);
  void write(handle_id id, const caf::actor& to, actors::command input);
  void on(watch_process& message);
  void on(to_process& message);
  void on(process_signal& message);
  void on(process_link& message);
  void on(process_link_end& message);
  void on(introduce& message);
  void on_unknown(const to_process& message);
  void known(const caf::actor& actor);
  caf::message_handler about_beam_processes();

  caf::result<void> on_output(io::output stream, term message, std::size_t bytes);
  template <class Message>
  void pass_on(Message& message) {
    send_frame(port_protocol::message_frame(sender_id(), to_term(std::move(message))));
  }
  void on_announced(child_announced& message);
  void on_end_of(const caf::actor_addr& actor, const term& reason);
  void tell_end(handle_table::ended& end);
  void stop_all(const term& signal, term reason);
  void signal_all(const term& signal);
  void end_if_alone();
  child_maker maker() { return {io_, caf::actor{this}}; }
  handle_id sender_id();
  void send_frame(const term& frame);
  void hold(std::span<const char> frame);
  void send_batch();

  io::context& io_;
  std::shared_ptr<bridge_options> options_;
  std::unique_ptr<io::packet_port> port_;
  frame_batch batch_;         // until what stands in the mailbox is seen to
  std::vector<char> encoded_; // the last frame, for its memory
  std::vector<actors::pid> named_;
  piece_table pieces_{port_protocol::max_term};
  std::uint32_t last_pieces_ = 0;
  handle_table handles_;
  calls_to_beam calls_;
  std::set<std::pair<term, handle_id>> late_links_; // from actors that had ended before
  bool greeted_ = false;
  bool batches_ = false;       // the BEAM reads them
  bool holds_ = false;         // `send_held` is on its way
  std::optional<term> ending_; // the reason to end with, once all children are gone
};

} // namespace penning::bridge
