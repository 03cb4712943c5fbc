#include <penning/supervision/supervisor.hpp>

#include <penning/supervision/restart_plan.hpp>

#include <algorithm>
#include <utility>

namespace penning::supervision {

using namespace actors::literals;
using actors::tuple_of;
namespace atoms = actors::atoms;

namespace {

term refused_strategy() {
  return tuple_of("supervisor_data"_a, tuple_of("invalid_strategy"_a, "simple_one_for_one"_a));
}

actors::atom atom_of(child_state state) {
  return state == child_state::running ? "running"_a : "restarting"_a;
}

} // namespace

supervisor::supervisor(caf::actor_config& config, supervisor_options options)
    : supervisor_core{config, options.flags, std::move(options.name)},
      resolve_{std::move(options.resolve)},
      first_specs_{std::move(options.children)} {}

actors::start_result supervisor::init() {
  supervisor_spec spec{flags(), std::exchange(first_specs_, {})};
  try {
    validate(spec);
  } catch (const spec_error& error) {
    return {actors::start_result::kind::stop, error.reason()};
  }
  if (flags().strategy == strategy::simple_one_for_one) // that is a dynamic_supervisor
    return {actors::start_result::kind::stop, refused_strategy()};
  operation first;
  first.is_first_start = true;
  for (auto& each : spec.children)
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
  while (operation_ && !operation_->waits_for_start) {
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
  auto& stopped = *find(pid.address());
  stopped.ended = reason;
  advance();
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
    wait_for_start();
    return false;
  }
  on_start_result(std::move(result.result));
  return true;
}

void supervisor::handle_ack(const caf::actor_addr& from, const actors::start_result& result) {
  if (!operation_ || !operation_->waits_for_start)
    return;
  const auto& starting = *operation_->start[operation_->started];
  if (starting.pid.address() != from)
    return;
  on_start_result(result);
  advance();
}

void supervisor::on_start_result(actors::start_result result) {
  using enum actors::start_result::kind;
  auto& what = *operation_;
  auto& starting = *what.start[what.started];
  what.waits_for_start = false;
  ++what.started;
  if (result.how == ok) {
    starting.state = child_state::running;
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
  then(failed, value);
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
  if (!ended)
    return; // an old instance, or a stranger
  if (operation_ && operation_->waits_for_start
      && operation_->start[operation_->started] == ended) { // it ended without an answer
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
      failed->state = child_state::restarting;
      failed->last_pid = failed == &which ? before : caf::actor_addr{};
      post_retry(failed->spec->id);
    }
    set_idle();
  };
  run(std::move(next));
}

void supervisor::retry(const term& id) {
  auto* waiting = find(id);
  if (waiting && waiting->state == child_state::restarting)
    restart(*waiting);
}

// -- requests -------------------------------------------------------------------------------------

void supervisor::answer(start_child& request, actors::pending_answer& from) {
  child_spec spec;
  try {
    if (auto* given = std::get_if<term>(&request.child)) {
      spec = child_spec_from_term(*given, resolve_, flags().auto_shutdown);
    } else {
      spec = std::get<child_spec>(std::move(request.child));
      validate(spec, flags().auto_shutdown);
    }
  } catch (const spec_error& error) {
    return from.deliver(error_reply(error.reason()));
  }
  if (const auto* known = find(spec.id)) {
    if (known->state != child_state::running)
      return from.deliver(error_reply("already_present"_a));
    return from.deliver(supervisor_reply{
      tuple_of(atoms::error(), tuple_of("already_started"_a, actors::to_pid(known->pid.address()))),
      known->pid});
  }
  operation next;
  next.is_first_start = true;
  next.start.push_back(&add(std::move(spec)));
  next.done = [this, from, id = next.start.front()->spec->id](child* failed,
                                                              const term& value) mutable {
    if (failed) {
      from.deliver(error_reply(tuple_of(value, to_record(*failed))));
      forget(*failed);
    } else {
      from.deliver(started_reply(find(id), value));
    }
    set_idle();
  };
  run(std::move(next));
}

void supervisor::answer(restart_child& request, actors::pending_answer& from) {
  auto* known = find(request.child);
  if (!known)
    return from.deliver(error_reply("not_found"_a));
  if (known->state != child_state::undefined)
    return from.deliver(error_reply(atom_of(known->state)));
  operation next;
  next.start.push_back(known);
  next.done = [this, from, known](child* failed, const term& value) mutable {
    from.deliver(failed ? error_reply(value) : started_reply(known, value));
    set_idle();
  };
  run(std::move(next));
}

void supervisor::answer(terminate_child& request, actors::pending_answer& from) {
  auto* known = find(request.child);
  if (!known)
    return from.deliver(error_reply("not_found"_a));
  operation next;
  next.stop.push_back(known);
  if (known->restart() == restart_type::temporary)
    next.forget.push_back(known);
  next.done = [this, from](child*, const term&) mutable {
    from.deliver(ok_reply());
    set_idle();
  };
  run(std::move(next));
}

void supervisor::answer(delete_child& request, actors::pending_answer& from) {
  auto* known = find(request.child);
  if (!known)
    return from.deliver(error_reply("not_found"_a));
  if (known->state != child_state::undefined)
    return from.deliver(error_reply(atom_of(known->state)));
  forget(*known);
  from.deliver(ok_reply());
}

void supervisor::answer(get_childspec& request, actors::pending_answer& from) {
  const auto* known = find(request.child);
  if (!known)
    return from.deliver(error_reply("not_found"_a));
  from.deliver(supervisor_reply{tuple_of(atoms::ok(), to_term(*known->spec)), nullptr});
}

void supervisor::change(supervisor_spec to) {
  if (to.flags.strategy == strategy::simple_one_for_one)
    throw spec_error{refused_strategy()};
  validate(to);
  set_flags(to.flags);
  auto others = std::exchange(children_, {});
  for (auto& spec : to.children) {
    const auto known = by_id_.find(spec.id);
    if (known == by_id_.end()) {
      add(std::move(spec));
    } else {
      children_.splice(children_.end(), others, known->second);
      known->second->spec = std::make_shared<const child_spec>(std::move(spec));
    }
  }
  children_.splice(children_.end(), others);
}

children supervisor::list() const {
  child_list result;
  for (auto each = children_.rbegin(); each != children_.rend(); ++each)
    result.push_back({each->spec, each->pid, 0, each->state});
  return {std::move(result)};
}

child_counts supervisor::count() const {
  child_counts result;
  result.specs = children_.size();
  for (const auto& each : children_) {
    result.active += each.pid && is_alive(each.pid);
    ++(each.spec->type == child_type::worker ? result.workers : result.supervisors);
  }
  return result;
}

// -- the children ---------------------------------------------------------------------------------

supervisor::child& supervisor::add(child_spec spec) {
  const auto added = children_.emplace(children_.end());
  added->spec = std::make_shared<const child_spec>(std::move(spec));
  by_id_.emplace(added->spec->id, added);
  return *added;
}

void supervisor::forget(child& which) {
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
}

supervisor::child* supervisor::find(const term& id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &*found->second;
}

supervisor::child* supervisor::find(const caf::actor_addr& pid) {
  const auto found = pid ? by_pid_.find(pid.id()) : by_pid_.end();
  return found == by_pid_.end() ? nullptr : found->second;
}

/// A process is no id.
supervisor::child* supervisor::find(const child_ref& which) {
  const auto* id = std::get_if<term>(&which);
  return id ? find(*id) : nullptr;
}

/// The record that OTP keeps of a child, as it shows in the error of `start_child`.
term supervisor::to_record(const child& which) const {
  const auto& spec = *which.spec;
  return tuple_of("child"_a, atoms::undefined(), spec.id, to_term(spec.mfargs),
                  actors::atom{to_string(spec.restart)}, spec.significant,
                  to_term(spec.shutdown_or_default()), actors::atom{to_string(spec.type)},
                  modules_of(spec));
}

/// Of a child that wanted to be ignored there is no process.
supervisor_reply supervisor::started_reply(const child* which, const term& info) const {
  return ok_reply(which ? which->pid : nullptr, info);
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
