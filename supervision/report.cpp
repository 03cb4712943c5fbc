#include <penning/supervision/report.hpp>

#include <penning/actors/runtime.hpp>
#include <penning/supervision/spec_term.hpp>

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <utility>

namespace penning::supervision {

using namespace actors::literals;
using actors::list_of;
using actors::tuple_of;
namespace atoms = actors::atoms;

namespace {

const term& stream_key() {
  static const term key{"penning_supervisor_reports"_a};
  return key;
}

// -- the log --------------------------------------------------------------------------------------

std::atomic<report_log> log_level{report_log::errors};

bool is_error(report_kind kind) {
  switch (kind) {
  case report_kind::progress:
  case report_kind::child_ended:
  case report_kind::child_stopped:
  case report_kind::supervisor_ended:
  case report_kind::restart_delayed: return false;
  default: return true;
  }
}

bool is_logged(report_kind kind) noexcept {
  const auto level = log_level.load(std::memory_order_relaxed);
  return level == report_log::all || (level == report_log::errors && is_error(kind));
}

/// Supervisors wait for nothing: lines go through a queue, the oldest are lost first.
std::shared_ptr<spdlog::logger> make_logger() {
  static const auto writer = std::make_shared<spdlog::details::thread_pool>(8192, 1);
  auto logger = std::make_shared<spdlog::async_logger>(
    "penning", std::make_shared<spdlog::sinks::stderr_sink_mt>(), writer,
    spdlog::async_overflow_policy::overrun_oldest);
  logger->set_level(spdlog::level::trace);
  return logger;
}

spdlog::logger& logger() {
  static const auto used = [] {
    auto own = spdlog::get("penning");
    return own ? own : make_logger();
  }();
  return *used;
}

std::string pid_text(const caf::actor_addr& pid) {
  return pid ? to_string(actors::to_pid(pid)) : "-";
}

std::string child_text(const report& what) {
  if (!what.child)
    return "-";
  if (what.count > 0)
    return std::to_string(what.count).append(" children");
  return to_string(what.id).append(" ").append(pid_text(what.pid));
}

void log(const report& what) {
  logger().log(is_error(what.kind) ? spdlog::level::err : spdlog::level::info,
               "supervisor {} {}: {}, child {}, reason {}",
               what.supervisor.empty() ? "-" : what.supervisor, pid_text(what.supervisor_pid),
               to_string(what.kind), child_text(what), to_string(what.reason));
}

} // namespace

void set_report_log(report_log level) noexcept {
  log_level.store(level, std::memory_order_relaxed);
}

// -- the stream -----------------------------------------------------------------------------------

void subscribe_reports(const caf::actor& subscriber) {
  actors::topics(subscriber.home_system()).register_key(stream_key(), subscriber);
}

void unsubscribe_reports(const caf::actor& subscriber) {
  actors::topics(subscriber.home_system()).unregister(stream_key(), subscriber);
}

bool detail::is_wanted(const actors::duplicate_registry& topics, report_kind kind) {
  return is_logged(kind) || topics.has(stream_key());
}

void detail::publish(const actors::duplicate_registry& topics, report what) {
  if (is_logged(what.kind))
    log(what);
  topics.publish(stream_key(), std::move(what));
}

// -- its forms ------------------------------------------------------------------------------------

std::string to_string(report_kind kind) {
  switch (kind) {
  case report_kind::progress: return "progress";
  case report_kind::child_terminated: return "child_terminated";
  case report_kind::start_error: return "start_error";
  case report_kind::shutdown_error: return "shutdown_error";
  case report_kind::shutdown: return "shutdown";
  case report_kind::unexpected_message: return "unexpected_message";
  case report_kind::child_ended: return "child_ended";
  case report_kind::child_stopped: return "child_stopped";
  case report_kind::restart_delayed: return "restart_delayed";
  default: return "supervisor_ended";
  }
}

namespace {

term shown_pid(const report& what) {
  const auto pid = what.pid ? term{actors::to_pid(what.pid)} : term{atoms::undefined()};
  if (what.state == child_state::restarting)
    return tuple_of("restarting"_a, pid);
  return pid;
}

term offender(const report& what) {
  const auto& spec = *what.child;
  return list_of(what.count > 0 ? tuple_of("nb_children"_a, what.count)
                                : tuple_of("pid"_a, shown_pid(what)),
                 tuple_of("id"_a, what.id), tuple_of("mfargs"_a, to_term(spec.mfargs)),
                 tuple_of("restart_type"_a, actors::atom{to_string(spec.restart)}),
                 tuple_of("significant"_a, spec.significant),
                 tuple_of("shutdown"_a, to_term(spec.shutdown_or_default())),
                 tuple_of("child_type"_a, actors::atom{to_string(spec.type)}));
}

} // namespace

term to_term(const report& what) {
  const auto supervisor = tuple_of("supervisor"_a, what.supervisor);
  if (what.kind == report_kind::progress)
    return list_of(supervisor, tuple_of("started"_a, offender(what)));
  const auto context = tuple_of("errorContext"_a, actors::atom{to_string(what.kind)});
  const auto reason = tuple_of("reason"_a, what.reason);
  if (!what.child)
    return list_of(supervisor, context, reason);
  return list_of(supervisor, context, reason, tuple_of("offender"_a, offender(what)));
}

} // namespace penning::supervision
