#include <penning/supervision/supervisor.hpp>

#include <penning/actors/pending_answer.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace penning::supervision {

namespace {

using namespace actors::literals;
using actors::tuple_of;
namespace atoms = actors::atoms;

struct retry_start {
  term id;
};
struct stop_overdue {
  std::uint64_t number;
};

/// Reasons that are no crash: `normal`, `shutdown`, `{shutdown, _}`.
bool is_shutdown_like(const term& reason) {
  return reason == atoms::normal() || reason == atoms::shutdown() || reason.is_tuple("shutdown", 2);
}

/// Ends of a stopped child that are not worth a report: what it was asked for, and for one that is
/// not permanent any orderly end. Source: `shutdown/1` and `do_terminate/2` in supervisor.erl.
bool is_silent(const child_spec& spec, const term& reason) {
  if (reason == atoms::shutdown())
    return true;
  if (std::holds_alternative<brutal_kill>(spec.shutdown) && reason == atoms::killed())
    return true;
  return spec.restart != restart_type::permanent && is_shutdown_like(reason);
}

} // namespace

} // namespace penning::supervision

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::supervision::retry_start)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::supervision::stop_overdue)

namespace penning::supervision {

supervisor::supervisor(caf::actor_config& config, supervisor_options options)
    : process{config},
      options_{std::move(options)},
      restarts_{options_.flags.intensity, options_.flags.period} {
  validate(options_.flags, options_.children);
  for (auto& spec : options_.children)
    children_.push_back({std::move(spec), nullptr, child_state::undefined, {}});
  options_.children.clear();
}

actors::start_result supervisor::init() {
  trap_exit(true);
  start_rest(0);
  return {actors::start_result::kind::pending};
}

caf::message_handler supervisor::receive() {
  return {
    [this](which_children) -> caf::result<children> {
      actors::pending_answer answer{make_response_promise()};
      defer([this, answer]() mutable { answer.deliver(list()); });
      return answer.promise();
    },
    [this](count_children) -> caf::result<child_counts> {
      actors::pending_answer answer{make_response_promise()};
      defer([this, answer]() mutable { answer.deliver(count()); });
      return answer.promise();
    },
    [this](retry_start& message) { defer([this, id = message.id] { retry(id); }); },
    [this](stop_overdue message) {
      auto* current = std::get_if<stopping>(&activity_);
      if (current && message.number == stop_number_)
        exit(children_[current->index].pid, atoms::kill());
    },
  };
}

// -- starting -------------------------------------------------------------------------------------

void supervisor::start_rest(std::size_t index) {
  if (index < children_.size())
    return start(index, false);
  up_ = true;
  acknowledge({});
  rest();
}

void supervisor::start(std::size_t index, bool is_restart) {
  activity_ = starting{index, is_restart};
  term failure = "bad_return"_a;
  try {
    children_[index].pid = children_[index].spec.start(*this);
  } catch (...) {
    failure = actors::exception_reason(std::current_exception());
  }
  if (!children_[index].pid)
    on_start_result(tuple_of("error"_a, failure));
}

void supervisor::handle_ack(const caf::actor_addr& from, const term& result) {
  auto* current = std::get_if<starting>(&activity_);
  if (current && children_[current->index].pid.address() == from)
    on_start_result(result);
}

void supervisor::on_start_result(const term& result) {
  const auto what = std::get<starting>(activity_);
  auto& child = children_[what.index];
  if (result.is_tuple("error", 2))
    return on_start_failed(what, (*result.get_if<actors::tuple>())[1]);
  if (result == "ignore"_a) {
    child.pid = nullptr;
    child.state = child_state::undefined;
    if (child.spec.restart == restart_type::temporary) { // only ever at its first start
      children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(what.index));
      return start_rest(what.index);
    }
  } else {
    child.state = child_state::running;
    const auto* with_info = result.get_if<actors::tuple>();
    tell(report_kind::progress, child, atoms::undefined(),
         with_info ? (*with_info)[1] : term{atoms::undefined()});
  }
  if (!what.is_restart)
    return start_rest(what.index + 1);
  rest();
}

void supervisor::on_start_failed(const starting& what, const term& reason) {
  auto& child = children_[what.index];
  child.pid = nullptr;
  tell(report_kind::start_error, child, reason);
  if (!what.is_restart)
    return shut_down(
      tuple_of("shutdown"_a, tuple_of("failed_to_start_child"_a, child.spec.id, reason)));
  child.state = child_state::restarting;
  // Through the mailbox, so that what is there already, a shutdown say, is handled first.
  actors::post(caf::actor{this}, retry_start{child.spec.id});
  rest();
}

void supervisor::retry(const term& id) {
  const auto found = std::ranges::find(children_, id, [](auto& c) { return c.spec.id; });
  if (found != children_.end() && found->state == child_state::restarting)
    restart(static_cast<std::size_t>(found - children_.begin()));
}

// -- ends of children -----------------------------------------------------------------------------

void supervisor::handle_exit(const caf::actor_addr& from, const term& reason) {
  if (from == parent())
    return shut_down(reason);
  const auto index = find(from);
  if (!index)
    return; // an old instance, or a stranger
  auto* current = std::get_if<starting>(&activity_);
  if (current && current->index == *index) // it ended without an answer
    return on_start_result(tuple_of("error"_a, reason));
  auto* awaited = std::get_if<stopping>(&activity_);
  if (awaited && awaited->index == *index)
    return on_stopped(reason);
  children_[*index].ended = reason;
  defer([this, from] { on_child_exit(from); });
}

void supervisor::on_child_exit(const caf::actor_addr& from) {
  const auto index = find(from);
  if (!index)
    return; // stopped meanwhile
  auto& child = children_[*index];
  const auto reason = *std::exchange(child.ended, std::nullopt);
  const bool crashed = !is_shutdown_like(reason);
  if (crashed || child.spec.restart == restart_type::permanent)
    tell(report_kind::child_terminated, child, reason);
  child.pid = nullptr;
  child.state = child_state::undefined;
  if (child.spec.restart == restart_type::temporary)
    children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(*index));
  else if (crashed || child.spec.restart == restart_type::permanent)
    restart(*index);
}

void supervisor::restart(std::size_t index) {
  using namespace std::chrono;
  const auto now = duration_cast<seconds>(system().clock().now().time_since_epoch());
  if (restarts_.add(now))
    return start(index, true);
  children_[index].state = child_state::undefined;
  tell(report_kind::shutdown, children_[index], "reached_max_restart_intensity"_a);
  shut_down(atoms::shutdown());
}

// -- stopping -------------------------------------------------------------------------------------

void supervisor::shut_down(term reason) {
  if (shutdown_reason_)
    return;
  shutdown_reason_ = std::move(reason);
  self_ = caf::actor{this};
  if (!std::holds_alternative<stopping>(activity_))
    stop_rest();
}

void supervisor::stop_rest() {
  const auto last = std::ranges::find_if(children_.rbegin(), children_.rend(),
                                         [](const child_record& c) { return c.pid != nullptr; });
  if (last != children_.rend())
    return stop(static_cast<std::size_t>(children_.rend() - last) - 1);
  activity_ = idle{};
  if (up_)
    exit(*shutdown_reason_);
  else
    acknowledge({actors::start_result::kind::stop, *shutdown_reason_});
}

void supervisor::stop(std::size_t index) {
  auto& child = children_[index];
  // By monitor: a child that unlinked itself would never send an exit signal.
  activity_ = stopping{index, monitor(child.pid)};
  if (child.ended) // found dead
    return on_stopped(*std::exchange(child.ended, std::nullopt));
  ++stop_number_;
  if (std::holds_alternative<brutal_kill>(child.spec.shutdown))
    return exit(child.pid, atoms::kill());
  exit(child.pid, atoms::shutdown());
  if (auto* time = std::get_if<std::chrono::milliseconds>(&child.spec.shutdown))
    actors::send_after(this, *time, stop_overdue{stop_number_});
}

void supervisor::handle_down(const actors::down& message) {
  auto* current = std::get_if<stopping>(&activity_);
  if (current && current->monitor == message.monitor) // its exit signal would have come before
    on_stopped(message.reason);
}

void supervisor::on_stopped(const term& reason) {
  const auto& what = std::get<stopping>(activity_);
  auto& child = children_[what.index];
  demonitor(what.monitor);
  unlink(child.pid); // an exit signal still on its way shall not be taken for another's
  if (!is_silent(child.spec, reason))
    tell(report_kind::shutdown_error, child, reason);
  child.pid = nullptr;
  child.state = child_state::undefined;
  stop_rest();
}

void supervisor::terminate(const term&) {
  children_.clear();
  deferred_.clear(); // who still waits is told so
  self_ = nullptr;
  options_.reports = nullptr;
}

// -- one thing at a time --------------------------------------------------------------------------

void supervisor::defer(work item) {
  deferred_.push_back(std::move(item));
  if (std::holds_alternative<idle>(activity_))
    rest();
}

void supervisor::rest() {
  activity_ = idle{};
  while (up_ && !shutdown_reason_ && std::holds_alternative<idle>(activity_)
         && !deferred_.empty()) {
    const auto item = std::move(deferred_.front());
    deferred_.pop_front();
    item();
  }
}

// -- what it tells --------------------------------------------------------------------------------

std::optional<std::size_t> supervisor::find(const caf::actor_addr& pid) const {
  const auto found = std::ranges::find_if(
    children_, [&pid](const child_record& c) { return c.pid && c.pid.address() == pid; });
  if (found == children_.end())
    return std::nullopt;
  return static_cast<std::size_t>(found - children_.begin());
}

children supervisor::list() const {
  children result;
  for (auto child = children_.rbegin(); child != children_.rend(); ++child)
    result.list.push_back(
      {child->spec.id, child->state, child->pid, child->spec.type, child->spec.restart});
  return result;
}

child_counts supervisor::count() const {
  child_counts result;
  result.specs = children_.size();
  for (const auto& child : children_) {
    result.active += child.state == child_state::running;
    ++(child.spec.type == child_type::worker ? result.workers : result.supervisors);
  }
  return result;
}

void supervisor::tell(report_kind kind, const child_record& about, term reason, term info) {
  if (options_.reports)
    actors::send(this, options_.reports,
                 report{kind, options_.name, about.spec.id, about.pid.address(), std::move(reason),
                        std::move(info)});
}

std::string to_string(report_kind kind) {
  switch (kind) {
  case report_kind::progress: return "progress";
  case report_kind::child_terminated: return "child_terminated";
  case report_kind::start_error: return "start_error";
  case report_kind::shutdown_error: return "shutdown_error";
  default: return "shutdown";
  }
}

} // namespace penning::supervision
