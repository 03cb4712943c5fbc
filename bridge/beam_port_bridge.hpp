#pragma once

#include <penning/actors/os_process.hpp>
#include <penning/bridge/actor_handle.hpp>
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
#include <string>
#include <vector>

namespace penning::bridge {

/// What a bridge stands between.
struct bridge_options {
  std::string program;                         ///< Told in the greeting.
  std::map<std::string, caf::actor> published; ///< C++ actors that the BEAM may look up, by name.
  bridge::vocabulary vocabulary;               ///< Message types of those actors.
  io::unique_fd in;                            ///< Frames from the BEAM.
  io::unique_fd out;                           ///< Frames to the BEAM.
  std::function<void()> on_closed;             ///< Told on the thread of the context, at once.
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

  void on_frame(const std::vector<char>& bytes);
  void on_closed(const io::packet_port_end& end);
  void dispatch(const term& frame);

  void on(const port_protocol::hello& frame);
  void on(const port_protocol::request& frame);
  void on(const port_protocol::send& frame);
  void on(const port_protocol::ack& frame);
  void on(const port_protocol::exit& frame);
  void on(const port_protocol::malformed& frame);
  void on(const port_protocol::malformed_request& frame);

  void answer(const term& ref, const port_protocol::open& request);
  void answer(const term& ref, const port_protocol::supervise& request);
  void answer(const term& ref, const port_protocol::whereis& request);
  void answer(const term& ref, const port_protocol::call& request);
  void answer(const term& ref, const port_protocol::adopt& request);
  void answer(const term& ref, const port_protocol::info& request);

  void watch_start(const term& ref, actors::started child, handle_kind is, bool announce);
  void on_up(actor_handle& handle, const term& info);
  void ask_supervisor(const term& ref, handle_id id, const term& message);
  void ask_os_process(const term& ref, handle_id id, const term& message);
  void ask(const term& ref, handle_id id, caf::message message, reader read);
  std::optional<term> take_call(handle_id id, std::uint64_t number);

  void to_os_process(const port_protocol::send& frame, const caf::actor& to);
  void write(handle_id id, const caf::actor& to, actors::command input);
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

  io::context& io_;
  std::shared_ptr<bridge_options> options_;
  std::unique_ptr<io::packet_port> port_;
  handle_table handles_;
  std::uint64_t last_call_ = 0;
  bool greeted_ = false;
  std::optional<term> ending_; // the reason to end with, once all children are gone
};

} // namespace penning::bridge
