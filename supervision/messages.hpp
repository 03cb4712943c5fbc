#pragma once

#include <penning/actors/messages.hpp>
#include <penning/supervision/child_list.hpp>
#include <penning/supervision/child_spec.hpp>
#include <penning/supervision/report.hpp>

#include <cstdint>
#include <tuple>
#include <variant>

namespace penning::supervision {

using actors::field;
using actors::inspect;

// -- requests that change something ---------------------------------------------------------------

/// What a supervisor answers to all of these.
struct supervisor_reply {
  static constexpr auto tag = "supervisor_reply";
  term result;    ///< OTP's: `ok`, `{ok, Pid}`, `{ok, undefined}`, `{error, Reason}`.
  caf::actor pid; ///< The process in `result`, if there is one.
  auto fields() { return std::tuple{field{"result", result}, field{"pid", pid}}; }

  bool is_ok() const;
};

supervisor_reply ok_reply();
/// `{ok, Pid}`, `{ok, Pid, Info}` or, without a process, `{ok, undefined}`.
supervisor_reply ok_reply(const caf::actor& pid, const term& info);
supervisor_reply error_reply(term reason);

/// Adds a child and starts it. A static supervisor takes a specification, a `simple_one_for_one`
/// the list of arguments that are appended to those of its specification.
/// Answers: `{ok, Pid}`, `{ok, Pid, Info}`, `{ok, undefined}` for one that wants to be ignored,
/// `{error, {already_started, Pid}}`, `{error, already_present}`, `{error, {Reason, Child}}` for a
/// failed start, after which nothing is left of it, or `{error, E}` for a bad specification; of a
/// dynamic supervisor see there.
struct start_child {
  std::variant<child_spec, term> child;
};

/// A child by its id or, with a dynamic supervisor, by its process.
using child_ref = std::variant<term, caf::actor>;

/// Stops a child, which stays stopped until it is restarted by request, or with its siblings.
/// Answers: `ok`, `{error, not_found}`.
struct terminate_child {
  child_ref child;
};

/// Starts a child that does not run. Answers as `start_child`, `{error, running}`,
/// `{error, restarting}`, `{error, not_found}`, `{error, Reason}`.
struct restart_child {
  child_ref child;
};

/// Forgets a child that does not run. Answers: `ok`, `{error, running}`, `{error, restarting}`,
/// `{error, not_found}`.
struct delete_child {
  child_ref child;
};

/// Answers: `{ok, Map}`, `{error, not_found}`.
struct get_childspec {
  child_ref child;
};

/// Replaces flags and specifications, as a release upgrade does: children whose id stays keep their
/// process, new ones are not started, those that are missing stay, after all others. A term is
/// what the callback `init` would return: `{ok, {Flags, Specs}}`, `ignore` for no change.
/// Answers: `ok`, or `{error, E}`, after which all is as before; any other term than these is the
/// answer itself. Source: `code_change/3` in supervisor.erl.
struct code_change {
  std::variant<supervisor_spec, term> to;
};

/// Ends the supervisor with `reason`, its children first. Answers `ok` once they are down.
/// Source: `gen_server:stop/3`.
struct stop {
  static constexpr auto tag = "stop";
  term reason = actors::atoms::normal();
  auto fields() { return std::tuple{field{"reason", reason}}; }
};

/// From now on nothing is handled but `resume`, `code_change`, `stop` and the parent's exit signal.
/// Answers `ok`. Source: `sys:suspend/1`.
struct suspend {
  static constexpr auto tag = "suspend";
  auto fields() { return std::tuple{}; }
};

/// Handles what came meanwhile, in order. Answers `ok`. Source: `sys:resume/1`.
struct resume {
  static constexpr auto tag = "resume";
  auto fields() { return std::tuple{}; }
};

// -- questions ------------------------------------------------------------------------------------

/// Asks a supervisor for its children; the answer is `children`. Erlang: `which_children`.
struct which_children {
  static constexpr auto tag = "which_children";
  auto fields() { return std::tuple{}; }
};

/// The children, latest start first, as OTP returns them; of a dynamic supervisor in no order.
struct children {
  child_list list;
};

/// Asks a supervisor for numbers; the answer is `child_counts`. Erlang: `count_children`.
struct count_children {
  static constexpr auto tag = "count_children";
  auto fields() { return std::tuple{}; }
};

/// Erlang: `{child_counts, Specs, Active, Supervisors, Workers}`.
struct child_counts {
  static constexpr auto tag = "child_counts";
  std::uint64_t specs = 0;       ///< Children, running or not; 1 with `simple_one_for_one`.
  std::uint64_t active = 0;      ///< Those that are alive.
  std::uint64_t supervisors = 0; ///< Running or not.
  std::uint64_t workers = 0;     ///< Running or not.
  auto fields() {
    return std::tuple{field{"specs", specs}, field{"active", active},
                      field{"supervisors", supervisors}, field{"workers", workers}};
  }
};

} // namespace penning::supervision

CAF_BEGIN_TYPE_ID_BLOCK(penning_supervision, ::penning::actors::first_type_id + 50)

CAF_ADD_TYPE_ID(penning_supervision, (penning::supervision::which_children))
CAF_ADD_TYPE_ID(penning_supervision, (penning::supervision::count_children))
CAF_ADD_TYPE_ID(penning_supervision, (penning::supervision::child_counts))
CAF_ADD_TYPE_ID(penning_supervision, (penning::supervision::supervisor_reply))
CAF_ADD_TYPE_ID(penning_supervision, (penning::supervision::stop))
CAF_ADD_TYPE_ID(penning_supervision, (penning::supervision::suspend))
CAF_ADD_TYPE_ID(penning_supervision, (penning::supervision::resume))

CAF_END_TYPE_ID_BLOCK(penning_supervision)

// Within one program: start functions do not travel.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::supervision::children)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::supervision::start_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::supervision::terminate_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::supervision::restart_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::supervision::delete_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::supervision::get_childspec)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::supervision::code_change)
