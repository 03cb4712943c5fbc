#pragma once

#include "erlang_text.hpp"

#include <penning/actors/process.hpp>
#include <penning/io/child.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace penning::conformance {

using nlohmann::json;

/// What a scripted process does with an exit signal that it can trap.
struct reaction {
  enum class kind : std::uint8_t { obey, exit_with, ignore, delay, no_trap, unlink };
  kind how = kind::obey;
  term reason = {};                  ///< Of `exit_with`.
  std::chrono::milliseconds time{0}; ///< Of `delay`.
};

/// What a specification cannot tell of a child: how its process behaves.
struct child_script {
  std::string id; ///< Of a template, whose instances are called otherwise, its own.
  reaction on_shutdown = {};
  std::optional<term> name = {}; ///< Registered while it lives.
  struct subtree {
    term flags, specs;
  };
  std::optional<subtree> supervisor = {}; ///< It is one.
  bool is_template = false;               ///< Of a `simple_one_for_one`.
  bool is_elixir = false;                 ///< Its supervisor is a `DynamicSupervisor`.
};

/// A process of a scenario: a scripted child or a supervisor.
struct instance {
  std::string id;
  int number = 0; ///< Of the call of its start function; 0 for the supervisor at the top.
  caf::actor pid = {};
  caf::actor_addr parent = {};
  bool is_supervisor = false;
  bool is_dynamic = false; ///< A supervisor whose children have no order.
  bool is_program = false;
  enum class stage : std::uint8_t { starting, started, failed };
  stage start = stage::starting;
  std::optional<term> ended = {}; ///< With this reason.
  bool gone = false;              ///< Ended, and its links have been told.
  bool delays = false;            ///< Ends by itself before long.

  bool is_live() const { return !ended; }
  std::string name() const { return number == 0 ? id : id + "#" + std::to_string(number); }
};

/// What the processes of one scenario share, whatever threads they run in.
class world {
 public:
  struct state {
    std::vector<json> trace; ///< Since the last step, as are the reports.
    std::vector<term> reports;
    std::map<caf::actor_id, instance> instances;
    std::optional<term> top_start;       ///< What `start_link` came to.
    std::optional<term> top_exit;        ///< What the parent heard.
    std::vector<std::string> complaints; ///< What went wrong with the replay itself.
    std::uint64_t activity = 0;          ///< Grows with everything that happens.

    const instance* find(caf::actor_id pid) const;
    const instance* latest(const std::string& id) const;
    bool is_settled() const; ///< Who has ended is gone, and nobody is about to end.
  };

  /// Calls `look(state)` while nothing else happens.
  template <class Look>
  auto read(Look look) const {
    const std::lock_guard lock{mutex_};
    return look(state_);
  }

  /// Calls `change(state)`, and tells who waits; under the lock, for he may end the world then.
  template <class Change>
  auto update(Change change) {
    const std::lock_guard lock{mutex_};
    const notifier tell{changed_};
    return change(state_);
  }

  /// Whether `done(state)` became true before the deadline.
  bool wait_for(std::chrono::seconds limit, const std::function<bool(const state&)>& done) const;

  // -- how starts go
  // --------------------------------------------------------------------------------

  /// The number under which `script` finds it.
  std::size_t add_script(child_script script);
  std::shared_ptr<const child_script> script(std::size_t number) const;
  void set_plan(const std::string& id, std::vector<std::string> outcomes);

  struct call {
    int number;
    std::string outcome;
  };
  call next_call(const std::string& id);

  /// What comes before the arguments of every start function.
  actors::list extra_arguments;
  /// Who starts the programs that the children are; null if they are scripted actors.
  io::child_host* host = nullptr;

  // -- what happens
  // ---------------------------------------------------------------------------------

  void enter(instance added);
  void start_succeeded(caf::actor_id pid);
  /// What is neither `start_error` nor `start_ignore` is a mistake.
  void start_failed(const std::string& kind, const std::string& id, int number);
  /// The same of an instance; one that has not got as far is not known.
  void start_failed(const std::string& kind, caf::actor_id pid);
  /// Whether `parent` is still starting it.
  bool is_starting(caf::actor_id pid, const caf::actor_addr& parent) const;
  void leave(caf::actor_id pid, const term& reason);
  void set_gone(caf::actor_id pid);
  void set_delays(caf::actor_id pid);
  void complain(std::string what);

  std::string text(const term& value) const;

 private:
  struct notifier {
    std::condition_variable& changed;
    ~notifier() { changed.notify_all(); }
  };

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  state state_;
  std::vector<std::shared_ptr<const child_script>> scripts_;
  std::map<std::string, std::deque<std::string>> plans_;
  std::map<std::string, int> calls_;
};

/// The actor in a term.
caf::actor_id id_of(const actors::pid& pid);

} // namespace penning::conformance
