#pragma once

#include <penning/actors/process.hpp>

#include <caf/actor_system.hpp>

#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace penning::bridge {

using actors::term;

/// The BEAM on the other side of a port, as C++ actors see it: each of its processes is an actor,
/// to send to, request from, link and monitor.
///
/// - It takes a `term` or a message of the port program's vocabulary, which arrives as `send/2`
///   would bring it; `actors::cast`, as by `GenServer.cast/2`. Any other has no Erlang form: a
///   request is answered with the error `{unknown_message, Text}`, else it is told on the BEAM's
///   log.
/// - A request, also an `actors::call`, is a `GenServer.call/3`. It is answered with a `term`, or
///   with the reason of its end if the process ends before. A deadline is the requester's.
/// - `exit` ends the process as `Process.exit/2` does, links and monitors are what they are.
/// - It ends with the process, with the same reason: `noproc` if there was none, `noconnection`
///   when the port closes.
///
/// Thread safe. What is sent before the port is open waits.
class beam : public std::enable_shared_from_this<beam> {
 public:
  explicit beam(caf::actor_system& system) : system_{system} {}

  /// The actor of a pid: always the same while the process lives. The pid of a process that stands
  /// for a C++ actor gives that actor. Null for a pid of this program's own.
  caf::actor actor_of(const actors::pid& pid);

  /// The process that is registered under `name` now; `noproc` if there is none.
  caf::actor named(std::string_view name);

  /// What names an actor in a term for the BEAM: a pid, or the registered name. (An actor in a
  /// field of a message is named without it.)
  term name_of(const caf::actor& actor);

  // -- for the bridge -----------------------------------------------------------------------------

  /// Gets what has been posted, in order, and all that follows.
  void attach(const caf::actor& bridge);

  /// The port has closed: all processes end with `noconnection`.
  void detach();

  void post(caf::message message);

  /// Null if nobody has asked for this process since it ended.
  caf::actor find(const term& name) const;

  /// A process has ended.
  void forget(const term& name);

  /// A process of the BEAM stands for an actor behind the port.
  void add_proxy(const actors::pid& pid, const caf::actor& actor);
  void remove_proxy(const actors::pid& pid);

 private:
  caf::actor process_of(const term& name);
  caf::actor find_locked(const term& name) const;

  caf::actor_system& system_;
  mutable std::mutex mutex_;
  std::unordered_map<term, caf::actor> processes_; // by pid or registered name
  std::unordered_map<term, caf::actor_addr> proxies_;
  caf::actor bridge_;
  std::vector<caf::message> waiting_; // until it is attached
  bool gone_ = false;
};

/// A process of the BEAM in the eyes of its links and monitors; everything else goes to the bridge.
class beam_process final : public actors::relay<actors::process> {
 public:
  beam_process(caf::actor_config& config, std::shared_ptr<beam> home, term name);

  const char* name() const override { return "penning.beam_process"; }

  /// Its pid or registered name. Thread safe.
  const term& beam_name() const noexcept { return name_; }

 protected:
  actors::start_result init() override;
  caf::message_handler receive() override;
  void handle_exit(const caf::actor_addr& from, const term& reason) override;
  void handle_link(const caf::actor_addr& from) override;
  void handle_unlink(const caf::actor_addr& from) override;
  bool takes_itself(const mail_content& mail) const override;
  void pass_on(caf::message mail, actors::answer_to from) override;

 private:
  const std::shared_ptr<beam> home_;
  const term name_;
};

// -- to the bridge, about the process of this name ------------------------------------------------

/// Its end is to be told.
struct watch_process {
  term name;
};
/// A message; if somebody waits for an answer, a call.
struct to_process {
  term name;
  caf::message content;
  actors::answer_to from;
};
struct process_signal {
  term name;
  caf::actor_addr from;
  term reason;
};
struct process_link {
  term name;
  caf::actor_addr from;
  bool on = true;
};
/// An actor that was linked to it has ended.
struct process_link_end {
  term name;
  caf::actor_addr from;
  term reason;
};
/// The BEAM is about to hear of an actor.
struct introduce {
  caf::actor actor;
};

// -- to a `beam_process` --------------------------------------------------------------------------

struct process_gone {
  term reason;
};

} // namespace penning::bridge

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::bridge::watch_process)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::bridge::to_process)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::bridge::process_signal)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::bridge::process_link)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::bridge::process_link_end)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::bridge::introduce)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::bridge::process_gone)
