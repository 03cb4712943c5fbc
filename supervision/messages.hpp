#pragma once

#include <penning/actors/messages.hpp>
#include <penning/supervision/child_spec.hpp>

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

namespace penning::supervision {

using actors::field;
using actors::inspect;

/// Asks a supervisor for its children; the answer is `children`. Erlang: `which_children`.
struct which_children {
  static constexpr auto tag = "which_children";
  auto fields() { return std::tuple{}; }
};

/// Whether a child has a process.
enum class child_state : std::uint8_t {
  undefined, ///< Not running.
  running,
  restarting, ///< Its start failed and will be tried again.
};

struct child_info {
  term id;
  child_state state = child_state::undefined;
  caf::actor pid; ///< Null unless `running`.
  child_type type = child_type::worker;
  restart_type restart = restart_type::permanent;
};

/// The children, latest start first, as OTP returns them.
struct children {
  static constexpr auto tag = "children";
  std::vector<child_info> list;
  auto fields() { return std::tuple{field{"list", list}}; }
};

/// Asks a supervisor for numbers; the answer is `child_counts`. Erlang: `count_children`.
struct count_children {
  static constexpr auto tag = "count_children";
  auto fields() { return std::tuple{}; }
};

/// Erlang: `{child_counts, Specs, Active, Supervisors, Workers}`.
struct child_counts {
  static constexpr auto tag = "child_counts";
  std::uint64_t specs = 0;       ///< Children, running or not.
  std::uint64_t active = 0;      ///< Those that run.
  std::uint64_t supervisors = 0; ///< Running or not.
  std::uint64_t workers = 0;     ///< Running or not.
  auto fields() {
    return std::tuple{field{"specs", specs}, field{"active", active},
                      field{"supervisors", supervisors}, field{"workers", workers}};
  }
};

/// What a supervisor tells about its work; the kinds and their order are OTP's.
enum class report_kind : std::uint8_t {
  progress,         ///< A child has started.
  child_terminated, ///< A child has ended by itself, and not as its restart type expects.
  start_error,      ///< A start failed; at a restart it will be tried again.
  shutdown_error,   ///< A child that was asked to end did so with another reason.
  shutdown,         ///< Too many restarts: the supervisor gives up.
};

/// One event of a supervisor, to whoever it was given as its `reports`.
/// Source: the progress and supervisor reports of OTP's `supervisor`.
struct report {
  static constexpr auto tag = "report";
  report_kind kind = report_kind::progress;
  std::string supervisor; ///< Its name.
  term id;                ///< The child's.
  caf::actor_addr pid;    ///< The child's process; empty where there is none.
  term reason;            ///< `undefined` for `progress`.
  term info;              ///< With `progress`, what the start added: an OS process gives its pid.
  auto fields() {
    return std::tuple{field{"kind", kind}, field{"supervisor", supervisor}, field{"id", id},
                      field{"pid", pid},   field{"reason", reason},         field{"info", info}};
  }
};

template <class Inspector>
auto inspect(Inspector& f, child_info& x) {
  return actors::inspect_object(f, x, "child_info", field{"id", x.id}, field{"state", x.state},
                                field{"pid", x.pid}, field{"type", x.type},
                                field{"restart", x.restart});
}

std::string to_string(report_kind kind);

} // namespace penning::supervision

CAF_BEGIN_TYPE_ID_BLOCK(penning_supervision, ::penning::actors::first_type_id + 50)

CAF_ADD_TYPE_ID(penning_supervision, (penning::supervision::which_children))
CAF_ADD_TYPE_ID(penning_supervision, (penning::supervision::children))
CAF_ADD_TYPE_ID(penning_supervision, (penning::supervision::count_children))
CAF_ADD_TYPE_ID(penning_supervision, (penning::supervision::child_counts))
CAF_ADD_TYPE_ID(penning_supervision, (penning::supervision::report))

CAF_END_TYPE_ID_BLOCK(penning_supervision)
