#pragma once

#include <penning/actors/registry.hpp>
#include <penning/supervision/child_list.hpp>
#include <penning/supervision/child_spec.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace penning::supervision {

/// What a supervisor tells about its work. The first five are OTP's, in OTP's order; the others
/// fill in what OTP does without a word.
enum class report_kind : std::uint8_t {
  progress,           ///< A child has started.
  child_terminated,   ///< A child has ended by itself, and not as its restart type expects.
  start_error,        ///< A start failed; at a restart it will be tried again.
  shutdown_error,     ///< A child that was asked to end did so with another reason.
  shutdown,           ///< Too many restarts: the supervisor gives up.
  unexpected_message, ///< `reason` is a message that it does not understand.
  child_ended,        ///< A child has ended by itself, as its restart type expects.
  child_stopped,      ///< A child that was asked to end did so.
  supervisor_ended,   ///< The supervisor itself, after its children; `reason` is its own.
  restart_delayed,    ///< A child's `backoff`: it will be restarted in `info` milliseconds.
};

/// One event of a supervisor.
/// Source: the progress and supervisor reports of OTP's `supervisor`.
struct report {
  report_kind kind = report_kind::progress;
  std::string supervisor = {}; ///< Its name.
  caf::actor_addr supervisor_pid = {};
  term id = actors::atoms::undefined(); ///< The child's.
  caf::actor_addr pid = {};             ///< The child's process; empty where there is none.
  /// `restarting` if its last start failed already, with the process that it was before as `pid`.
  child_state state = child_state::running;
  std::uint64_t count = 0; ///< How many children it is about, if they are not told one by one.
  term reason = actors::atoms::undefined(); ///< `undefined` for `progress`.
  /// With `progress`, what the start added.
  term info = actors::atoms::undefined();
  std::shared_ptr<const child_spec> child = {}; ///< Null where it is about no child.
};

/// From now on every report of every supervisor of its actor system is sent to `subscriber`, in the
/// order in which each supervisor makes them, until it unsubscribes or ends; the stream holds it
/// that long.
void subscribe_reports(const caf::actor& subscriber);
void unsubscribe_reports(const caf::actor& subscriber);

/// What is written to the log: on standard error, or to the spdlog logger that the program has
/// registered as "penning". Waits for nobody: a log that is not read loses its oldest lines.
enum class report_log : std::uint8_t {
  off,
  errors, ///< What OTP logs as an error; the default.
  all,    ///< Progress and orderly ends as well.
};
/// For the whole program. Thread safety: all of it.
void set_report_log(report_log level) noexcept;

/// OTP's form: `[{supervisor, Name}, {started, Child}]` for `progress`, else `[{supervisor, Name},
/// {errorContext, Kind}, {reason, Reason}, {offender, Child}]`.
term to_term(const report& what);

std::string to_string(report_kind kind);

namespace detail {

/// Whether anyone would get a report of this kind: a cheap look before one is made.
bool is_wanted(const actors::duplicate_registry& topics, report_kind kind);
/// To the stream and to the log.
void publish(const actors::duplicate_registry& topics, report what);

} // namespace detail

} // namespace penning::supervision

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::supervision::report)
