#include <penning/supervision/supervisor.hpp>

#include <penning/supervision/restart_plan.hpp>
#include <penning/supervision/start_order.hpp>

#include <algorithm>
#include <utility>

namespace penning::supervision {

using namespace actors::literals;
using actors::tuple_of;
namespace atoms = actors::atoms;

supervisor::supervisor(caf::actor_config& config, supervisor_options options)
    : supervisor_core{config, options.flags, std::move(options.name)},
      resolve_{std::move(options.resolve)},
      first_specs_{std::move(options.children)} {}

/// With `simple_one_for_one` it would be a `dynamic_supervisor`.
void supervisor::require_static(const sup_flags& flags) {
  if (flags.strategy == strategy::simple_one_for_one)
    throw spec_error{
      tuple_of("supervisor_data"_a, tuple_of("invalid_strategy"_a, "simple_one_for_one"_a))};
}

actors::start_result supervisor::init() {
  supervisor_spec spec{flags(), std::exchange(first_specs_, {})};
  try {
    validate(spec);
    require_static(flags());
  } catch (const spec_error& error) {
    return {actors::start_result::kind::stop, error.reason()};
  }
  operation first;
  first.is_first_start = true;
  for (auto& each : in_start_order(std::move(spec.children)))
    first.start.push_back(&add(std::move(each)));
  first.done = [this](child* failed, const term& reason) {
    if (!failed) {
      set_up();
      return set_idle();
    }
    tell_about(report_kind::start_error, *failed, reason);
    shut_down(
      tuple_of("shutdown"_a, tuple_of("failed_to_start_child"_a, failed->spec->id, reason)));
  };
  run(std::move(first));
  return {actors::start_result::kind::pending};
}

// -- what is being done ---------------------------------------------------------------------------

void supervisor::run(operation next) {
  set_busy();
  operation_ = std::move(next);
  advance();
}

void supervisor::advance() {
  while (operation_ && !operation_->waits_for_start && !operation_->waits_for_stop) {
    auto& what = *operation_;
    if (what.stopped < what.stop.size()) {
      if (!stop_next(what))
        return;
    } else if (!what.forget.empty()) {
      for (auto* each : std::exchange(what.forget, {}))
        forget(*each);
    } else if (what.started < what.start.size()) {
      if (!start_next(what))
        return;
    } else {
      finish(nullptr, atoms::undefined());
    }
  }
}

/// Whether it is down already; else `on_stopped` goes on.
bool supervisor::stop_next(operation& what) {
  auto& next = *what.stop[what.stopped];
  if (next.pid && !next.ended) {
    const auto policy = next.spec->shutdown_or_default();
    const auto group = new_group();
    what.waits_for_stop = true;
    stop_child(next.pid, policy, group);
    limit_stop(policy, group);
    return false;
  }
  ++what.stopped;
  if (next.ended)
    tell_about(is_silent_stop(*next.spec, *next.ended) ? report_kind::child_stopped
                                                       : report_kind::shutdown_error,
               next, *next.ended);
  set_stopped(next);
  return true;
}

void supervisor::on_stopped(const caf::actor& pid, const term& reason) {
  auto& what = *operation_;
  if (what.waits_for_start) { // for too long
    on_start_result({actors::start_result::kind::stop, "timeout"_a});
  } else if (auto& next = *what.stop[what.stopped]; next.pid == pid) {
    what.waits_for_stop = false;
    next.ended = reason;
  } // else its start took too long, and was given up meanwhile; it will be found dead
  advance();
}

bool supervisor::is_starting(const child& which) const {
  return operation_ && operation_->waits_for_start
         && operation_->start[operation_->started] == &which;
}

/// Whether its start has returned; else `handle_ack` or its end goes on.
bool supervisor::start_next(operation& what) {
  auto& next = *what.start[what.started];
  auto result = call_start(*next.spec, next.spec->mfargs.arguments, true);
  if (result.pid) {
    next.pid = std::move(result.pid);
    by_pid_.emplace(next.pid.id(), &next);
  }
  if (result.result.how == actors::start_result::kind::pending) {
    what.waits_for_start = true;
    wait_for_start(next.pid, *next.spec);
    return false;
  }
  on_start_result(std::move(result.result));
  return true;
}

void supervisor::handle_ack(const caf::actor_addr& from, const actors::start_result& result) {
  const auto* starting = find(from);
  if (!starting || !is_starting(*starting) || is_stopping(from))
    return;
  on_start_result(result);
  advance();
}

void supervisor::on_start_result(actors::start_result result) {
  using enum actors::start_result::kind;
  auto& what = *operation_;
  auto& starting = *what.start[what.started];
  what.waits_for_start = false;
  start_returned();
  ++what.started;
  if (result.how == ok) {
    starting.state = child_state::running;
    starting.delay.started(system().clock().now());
    starting.last_pid = starting.pid.address();
    tell_about(report_kind::progress, starting, atoms::undefined(), result.value);
    if (what.started == what.start.size())
      finish(nullptr, result.value);
    return;
  }
  if (starting.pid) {
    by_pid_.erase(starting.pid.id());
    starting.pid = nullptr;
  }
  if (result.how == stop)
    return finish(&starting, result.value);
  set_stopped(starting);
  if (what.is_first_start && starting.restart() == restart_type::temporary)
    forget(starting);
}

void supervisor::finish(child* failed, const term& value) {
  const auto then = std::move(operation_->done);
  operation_.reset();
  release_held_back();
  then(failed, value);
}

/// They look again, once what is being done now has come to its end.
void supervisor::release_held_back() {
  for (auto& id : std::exchange(held_back_, {}))
    post_retry(std::move(id));
}

bool supervisor::give_up_start() {
  if (!operation_ || !operation_->waits_for_start)
    return false;
  operation_.reset();
  return true;
}

void supervisor::stop_children() {
  operation last;
  for (auto& each : children_)
    last.stop.push_back(&each);
  std::ranges::reverse(last.stop);
  last.done = [this](child*, const term&) { children_stopped(); };
  run(std::move(last));
}

void supervisor::terminate(const term& reason) {
  operation_.reset();
  by_pid_.clear();
  by_id_.clear();
  children_.clear();
  supervisor_core::terminate(reason);
}

// -- ends of children -----------------------------------------------------------------------------

void supervisor::on_exit_signal(const caf::actor_addr& from, const term& reason) {
  auto* ended = find(from);
  if (!ended) // an old instance, or a stranger
    return;
  if (is_starting(*ended)) { // without an answer
    on_start_result({actors::start_result::kind::stop, reason});
    return advance();
  }
  ended->ended = reason;
  enqueue([this, from] { on_child_exit(from); });
}

void supervisor::on_child_exit(const caf::actor_addr& from) {
  auto* ended = find(from);
  if (!ended)
    return; // stopped meanwhile
  auto& which = *ended;
  const auto reason = *std::exchange(which.ended, std::nullopt);
  by_pid_.erase(from.id());
  which.pid = nullptr;
  which.state = child_state::undefined;
  const bool crashed = !is_shutdown_like(reason);
  const bool permanent = which.restart() == restart_type::permanent;
  tell_about(crashed || permanent ? report_kind::child_terminated : report_kind::child_ended, which,
             reason);
  if (permanent || (crashed && which.restart() == restart_type::transient))
    return restart(which);
  const bool significant = which.spec->significant;
  if (which.restart() == restart_type::temporary)
    forget(which);
  else
    set_stopped(which);
  if (significant)
    on_significant_end();
}

/// One that is not started again.
void supervisor::on_significant_end() {
  const auto is_left = [](const child& each) {
    return each.spec->significant && each.state != child_state::undefined;
  };
  const auto mode = flags().auto_shutdown;
  if (mode == auto_shutdown::any_significant
      || (mode == auto_shutdown::all_significant && std::ranges::none_of(children_, is_left)))
    shut_down(atoms::shutdown());
}

void supervisor::restart(child& which) {
  if (which.spec->backoff)
    restart_later(which);
  else
    restart_now(which);
}

/// Its siblings end now, as far as the strategy says so; all start together when the time has come.
void supervisor::restart_later(child& which) {
  const auto delay = next_delay(which);
  auto plan = plan_restart(flags().strategy, children_, by_id_.at(which.spec->id),
                           [](const child& each) { return each.restart(); });
  operation next{std::move(plan.stop), std::move(plan.forget), {}, {}};
  next.done = [this, &which, delay](child*, const term&) {
    schedule_retry(which, delay);
    set_idle();
  };
  run(std::move(next));
}

std::optional<std::chrono::milliseconds> supervisor::next_delay(child& which) {
  if (!which.spec->backoff)
    return std::nullopt;
  return which.delay.next(*which.spec->backoff, system().clock().now());
}

void supervisor::schedule_retry(child& which, std::optional<std::chrono::milliseconds> delay) {
  which.state = child_state::restarting;
  if (!delay)
    return post_retry(which.spec->id);
  tell_about(report_kind::restart_delayed, which, atoms::undefined(), delay->count());
  which.retry = retry_after(*delay, which.spec->id);
}

bool supervisor::waits_for_sibling(const child& which) const {
  return std::ranges::any_of(which.spec->start_after, [this](const term& id) {
    const auto* sibling = find(id);
    return sibling && sibling->state == child_state::restarting;
  });
}

void supervisor::restart_now(child& which) {
  if (waits_for_sibling(which)) {
    which.state = child_state::restarting;
    return held_back_.push_back(which.spec->id);
  }
  if (!may_restart()) {
    tell_about(report_kind::shutdown, which, "reached_max_restart_intensity"_a);
    set_stopped(which);
    return shut_down(atoms::shutdown());
  }
  auto plan = plan_restart(flags().strategy, children_, by_id_.at(which.spec->id),
                           [](const child& each) { return each.restart(); });
  const auto before = which.last_pid;
  if (flags().strategy != strategy::one_for_one)
    set_stopped(which); // so that reports about its start show no process
  operation next{std::move(plan.stop), std::move(plan.forget), std::move(plan.start), {}};
  next.done = [this, &which, before](child* failed, const term& reason) {
    if (failed) {
      tell_about(report_kind::start_error, *failed, reason);
      failed->last_pid = failed == &which ? before : caf::actor_addr{};
      schedule_retry(*failed, next_delay(*failed));
    }
    set_idle();
  };
  run(std::move(next));
}

void supervisor::retry(const term& id) {
  auto* waiting = find(id);
  if (waiting && waiting->state == child_state::restarting)
    restart_now(*waiting);
}

// -- the children ---------------------------------------------------------------------------------

supervisor::child& supervisor::add(child_spec spec) {
  const auto added = children_.emplace(children_.end());
  added->spec = std::make_shared<const child_spec>(std::move(spec));
  by_id_.emplace(added->spec->id, added);
  return *added;
}

void supervisor::forget(child& which) {
  actors::cancel_timer(this, which.retry);
  if (which.pid)
    by_pid_.erase(which.pid.id());
  const auto node = by_id_.extract(which.spec->id);
  children_.erase(node.mapped());
}

void supervisor::set_stopped(child& which) {
  if (which.pid)
    by_pid_.erase(which.pid.id());
  which.pid = nullptr;
  which.last_pid = nullptr;
  which.state = child_state::undefined;
  which.ended.reset();
  actors::cancel_timer(this, std::exchange(which.retry, {}));
}

const supervisor::child* supervisor::find(const term& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &*found->second;
}

supervisor::child* supervisor::find(const term& id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &*found->second;
}

supervisor::child* supervisor::find(const caf::actor_addr& pid) {
  const auto found = pid ? by_pid_.find(pid.id()) : by_pid_.end();
  return found == by_pid_.end() ? nullptr : found->second;
}

void supervisor::tell_about(report_kind kind, const child& about, term reason, term info) {
  if (!is_wanted(kind))
    return;
  tell({.kind = kind,
        .id = about.spec->id,
        .pid = about.last_pid,
        .state = about.state == child_state::restarting ? child_state::restarting
                 : about.last_pid                       ? child_state::running
                                                        : child_state::undefined,
        .reason = std::move(reason),
        .info = std::move(info),
        .child = about.spec});
}

} // namespace penning::supervision
