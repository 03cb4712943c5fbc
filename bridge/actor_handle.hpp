#pragma once

#include <penning/actors/pending_answer.hpp>
#include <penning/actors/process.hpp>
#include <penning/bridge/port_protocol.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace penning::bridge {

using actors::term;

/// Output of one stream that the BEAM has been sent and has not acknowledged yet, oldest first.
class unconsumed_output {
 public:
  void push(std::size_t bytes, actors::pending_answer answer) {
    waiting_.push_back({bytes, std::move(answer)});
  }

  /// The BEAM has consumed `bytes`. What exceeds those under way counts for nothing.
  void consumed(std::size_t bytes);

  /// Nobody will acknowledge any more.
  void release();

 private:
  struct chunk {
    std::size_t bytes;
    actors::pending_answer answer;
  };
  std::deque<chunk> waiting_;
};

/// What the bridge knows of one actor behind the port. It keeps only those that the port owns.
struct actor_handle {
  enum class kind : std::uint8_t {
    os_process,
    os_supervisor, ///< Of OS processes that the BEAM specified.
    cpp_actor,     ///< Understands messages.
    cpp_server,    ///< Understands `call` and `cast`.
    cpp_supervisor,
  };

  caf::actor_addr address;
  kind is = kind::cpp_actor;
  caf::actor owned = {};                            // null if it is none of the port's
  std::optional<term> starting = {};                // whom to answer once it is up
  port_protocol::handle_id supervisor = 0;          // of a supervised OS process
  std::array<unconsumed_output, 2> output = {};     // stdout, stderr
  std::set<port_protocol::handle_id> children = {}; // of a supervisor
  std::optional<term> ended = {};                   // while children are left
  std::optional<actors::pid> proxy = {};            // what stands for it in the BEAM

  /// Null once it has ended.
  caf::actor actor() const { return owned ? owned : caf::actor_cast<caf::actor>(address); }
  unconsumed_output& stream(io::output which) { return output[which == io::output::out ? 0 : 1]; }
};

/// How an actor that is no OS process is to be talked to.
actor_handle::kind kind_of(const caf::actor& actor);

/// The actors that the BEAM knows, by Id.
///
/// A supervisor's end is told after those of its children, which may still have output to deliver.
class handle_table {
 public:
  using id = port_protocol::handle_id;
  using map = std::unordered_map<id, actor_handle>;

  /// An end that is to be told.
  struct ended {
    id which = 0;
    actor_handle handle;
    term reason;
  };

  /// One that is known already stays as it is.
  actor_handle& add(actor_handle added);
  actor_handle* find(id which);

  /// An actor has ended; nothing if it is none of these. Returns whose end is to be told now, in
  /// order: its own unless it has children left, and that of a supervisor which waited for it.
  std::vector<ended> remove(id which, const term& reason);

  /// Whether all that is left are actors that the port does not own.
  bool owns_none() const;

  void clear() { all_.clear(); }
  map::iterator begin() { return all_.begin(); }
  map::iterator end() { return all_.end(); }

 private:
  map all_;
};

} // namespace penning::bridge
