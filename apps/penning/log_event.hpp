#pragma once

#include <penning/io/exit_status.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace penning::apps {

/// What a line of the log tells.
enum class event_kind : std::uint8_t {
  note,         ///< From `penning up` itself.
  started,      ///< A child is up for the first time.
  restarted,    ///< It is up again.
  out,          ///< A line of its stdout.
  err,          ///< A line of its stderr.
  exited,       ///< A program has ended, whatever the reason.
  ended,        ///< A supervisor has ended without having been asked to.
  start_failed, ///< A start or restart failed.
  stop_failed,  ///< A child that was asked to end did not do so as it should.
  gave_up,      ///< A supervisor has had too many restarts.
  delayed,      ///< A child's restart waits for its back-off.
};

/// One line of the log, as a value.
struct log_event {
  event_kind kind = event_kind::note;
  std::chrono::system_clock::time_point time;
  std::string id;             ///< The ids from below the root, joined by `/`; empty for a `note`.
  std::string text;           ///< A line of output, a reason, or what a `note` says.
  bool cut = false;           ///< The line of output goes on in the next event.
  bool is_supervisor = false; ///< With `started` and `restarted`.
  std::int64_t os_pid = 0;    ///< With `started`, `restarted` and `exited` of a program.
  std::uint64_t restarts = 0; ///< With `restarted`: how often so far.
  io::exit_status how;        ///< With `exited`, as the two that follow.
  io::resource_usage usage;
  std::chrono::milliseconds ran{}; ///< From the start to the end.
};

/// Makes a line of an event, with its line end.
using log_format = std::function<std::string(const log_event&)>;

/// Lines for people. `colour` is for terminals; control characters in what children write are
/// shown as `\x1b`, so that no child can paint over another's lines. Ids are padded to `id_width`.
log_format text_format(std::size_t id_width, bool colour);

/// One JSON object per line; what is no UTF-8 in it becomes U+FFFD.
log_format json_format();

/// "status 3", "SIGKILL", "SIGSEGV (core dumped)".
std::string describe(const io::exit_status& how);

/// "350 ms", "12.3 s", "5m 03s", "2h 07m", "3d 04h".
std::string describe(std::chrono::milliseconds time);

} // namespace penning::apps
