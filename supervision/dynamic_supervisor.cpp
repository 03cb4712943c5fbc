#include <penning/supervision/dynamic_supervisor.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace penning::supervision {

using namespace actors::literals;
using actors::tuple_of;
namespace atoms = actors::atoms;

namespace {

actors::list concatenation(const actors::list& first, const actors::list& second) {
  if (first.empty() || second.empty())
    return first.empty() ? second : first;
  std::vector<term> all(first.begin(), first.end());
  all.insert(all.end(), second.begin(), second.end());
  return actors::list{std::move(all)};
}

} // namespace

dynamic_supervisor::dynamic_supervisor(caf::actor_config& config, supervisor_options options)
    : supervisor_core{config, options.flags, std::move(options.name)},
      template_{std::make_shared<const child_spec>()},
      first_specs_{std::move(options.children)},
      resolve_{std::move(options.resolve)} {}

dynamic_supervisor::dynamic_supervisor(caf::actor_config& config, dynamic_options options)
    : supervisor_core{config, options.flags, std::move(options.name)},
      max_children_{options.max_children},
      extra_arguments_{std::move(options.extra_arguments)},
      resolve_{std::move(options.resolve)} {}

actors::start_result dynamic_supervisor::init() {
  try {
    change({flags(), std::exchange(first_specs_, {})});
  } catch (const spec_error& error) {
    return {actors::start_result::kind::stop, error.reason()};
  }
  set_up();
  set_idle();
  return {actors::start_result::kind::pending};
}

void dynamic_supervisor::change(supervisor_spec to) {
  const auto wanted = is_simple() ? strategy::simple_one_for_one : strategy::one_for_one;
  if (to.flags.strategy != wanted)
    throw spec_error{
      tuple_of("supervisor_data"_a,
               tuple_of("invalid_strategy"_a, actors::atom{to_string(to.flags.strategy)}))};
  validate(to);
  set_flags(to.flags);
  if (!is_simple())
    return;
  template_ = std::make_shared<const child_spec>(std::move(to.children.front()));
  for (auto& [key, each] : children_) {
    each.spec = template_;
    list_.own(each.index).spec = template_;
  }
  supervisors_ = template_->type == child_type::supervisor ? children_.size() : 0;
}

// -- starting -------------------------------------------------------------------------------------

void dynamic_supervisor::start(child_map::node_type which, start_done then) {
  auto& starting = which.mapped();
  if (starting.has_no_arguments) // as OTP's fails that was told by a code change to restart it
    return then(std::move(which),
                {actors::start_result::kind::stop, tuple_of("EXIT"_a, "badarg"_a)});
  auto started = call_start(*starting.spec, starting.arguments, is_simple());
  starting.pid = std::move(started.pid);
  if (started.result.how != actors::start_result::kind::pending)
    return then(std::move(which), started.result);
  set_busy();
  const auto [pid, spec] = std::pair{starting.pid, starting.spec};
  starting_ = pending_start{std::move(which), std::move(then)};
  wait_for_start(pid, *spec);
}

void dynamic_supervisor::handle_ack(const caf::actor_addr& from,
                                    const actors::start_result& result) {
  if (starting_ && starting_->which.mapped().pid.address() == from && !is_stopping(from))
    on_start_result(result);
}

void dynamic_supervisor::on_start_result(const actors::start_result& result) {
  auto what = *std::exchange(starting_, std::nullopt);
  start_returned();
  if (result.how != actors::start_result::kind::ok)
    what.which.mapped().pid = nullptr;
  what.done(std::move(what.which), result);
  set_idle();
}

bool dynamic_supervisor::give_up_start() {
  if (!starting_)
    return false;
  insert(std::move(starting_->which)); // to be stopped with the others
  starting_.reset();
  return true;
}

/// Under the process that it runs as, if it does.
void dynamic_supervisor::insert(child_map::node_type which) {
  auto& added = which.mapped();
  if (added.pid && added.spec->backoff)
    delay_of(added).started(system().clock().now());
  supervisors_ += added.spec->type == child_type::supervisor;
  restarting_ += added.pid == nullptr;
  if (added.pid)
    which.key() = added.pid.id();
  if (children_.contains(which.key())) // its start has returned a process that was there already
    extract(which.key());
  added.index = list_.size();
  list_.push_back({added.spec, added.pid, which.key(),
                   added.pid ? child_state::running : child_state::restarting});
  children_.insert(std::move(which));
}

dynamic_supervisor::child_map::node_type dynamic_supervisor::extract(caf::actor_id key) {
  auto which = children_.extract(key);
  const auto& removed = which.mapped();
  supervisors_ -= removed.spec->type == child_type::supervisor;
  restarting_ -= removed.pid == nullptr;
  const auto moved = list_.remove(removed.index);
  if (moved != key)
    children_.at(moved).index = removed.index;
  return which;
}

void dynamic_supervisor::answer(start_child& request, actors::pending_answer& from) {
  child added;
  try {
    if (is_simple())
      added = {.spec = template_, .arguments = more_arguments(request)};
    else
      added = own_child(request);
  } catch (...) {
    return from.deliver(error_reply(refusal_reason(std::current_exception())));
  }
  if (max_children_ && children_.size() >= *max_children_)
    return from.deliver(error_reply("max_children"_a));
  child_map scratch; // the only way to make a node
  scratch.emplace(0, std::move(added));
  start(scratch.extract(scratch.begin()),
        [this, from](child_map::node_type which, const actors::start_result& result) mutable {
          from.deliver(start_reply(which.mapped().pid, result));
          if (result.how == actors::start_result::kind::ok) {
            if (which.mapped().spec->restart == restart_type::temporary) { // is never restarted
              which.mapped().arguments = {};
              which.mapped().has_no_arguments = true;
            }
            insert(std::move(which));
          }
        });
}

actors::list dynamic_supervisor::more_arguments(const start_child& request) const {
  const auto* given = std::get_if<term>(&request.child);
  const auto* more = given ? given->get_if<actors::list>() : nullptr;
  if (!more || !more->is_proper())
    throw spec_error{tuple_of("badarg"_a, given ? *given : term{"child_spec"_a})};
  return concatenation(template_->mfargs.arguments, *more);
}

dynamic_supervisor::child dynamic_supervisor::own_child(start_child& request) const {
  child_spec spec;
  if (const auto* given = std::get_if<term>(&request.child))
    spec = elixir_child_spec_from_term(*given, resolve_);
  else
    spec = std::get<child_spec>(std::move(request.child));
  validate(spec, std::nullopt);
  if (spec.significant)
    throw spec_error{tuple_of("invalid_significant"_a, true)};
  if (!spec.start_after.empty()) // it has no siblings that it could know
    throw spec_error{tuple_of("invalid_start_after"_a, actors::list{spec.start_after})};
  child result;
  result.arguments = concatenation(extra_arguments_, spec.mfargs.arguments);
  result.spec = std::make_shared<const child_spec>(std::move(spec));
  return result;
}

supervisor_reply dynamic_supervisor::start_reply(const caf::actor& pid,
                                                 const actors::start_result& result) const {
  using enum actors::start_result::kind;
  if (result.how == stop)
    return error_reply(result.value);
  if (result.how == ignore)
    return {is_simple() ? term{tuple_of(atoms::ok(), atoms::undefined())} : "ignore"_a, nullptr};
  return ok_reply(pid, result.value);
}

// -- ends of children -----------------------------------------------------------------------------

void dynamic_supervisor::on_exit_signal(const caf::actor_addr& from, const term& reason) {
  if (!from)
    return;
  if (starting_ && starting_->which.mapped().pid.address() == from) // without an answer
    return on_start_result({actors::start_result::kind::stop, reason});
  const auto found = children_.find(from.id());
  if (found == children_.end() || !found->second.pid)
    return; // an old instance, or a stranger
  found->second.ended = std::make_unique<term>(reason);
  enqueue([this, key = from.id()] { on_child_exit(key); });
}

void dynamic_supervisor::on_child_exit(caf::actor_id key) {
  const auto found = children_.find(key);
  if (found == children_.end() || !found->second.ended)
    return; // stopped meanwhile
  auto which = extract(key);
  auto& ended = which.mapped();
  const auto spec = ended.spec;
  const auto reason = *std::exchange(ended.ended, nullptr);
  ended.last_pid = std::exchange(ended.pid, nullptr).address();
  const bool crashed = !is_shutdown_like(reason);
  const bool permanent = spec->restart == restart_type::permanent;
  tell_about(crashed || permanent ? report_kind::child_terminated : report_kind::child_ended, ended,
             reason);
  if (spec->restart == restart_type::permanent
      || (crashed && spec->restart == restart_type::transient))
    return restart(std::move(which));
  const auto mode = flags().auto_shutdown;
  if (spec->significant
      && (mode == auto_shutdown::any_significant
          || (mode == auto_shutdown::all_significant && children_.empty())))
    shut_down(atoms::shutdown());
}

void dynamic_supervisor::restart(child_map::node_type which) {
  if (which.mapped().spec->backoff)
    restart_later(std::move(which));
  else
    restart_now(std::move(which));
}

void dynamic_supervisor::restart_later(child_map::node_type which) {
  auto& waiting = which.mapped();
  const auto delay = delay_of(waiting).next(*waiting.spec->backoff, system().clock().now());
  tell_about(report_kind::restart_delayed, waiting, atoms::undefined(), delay.count());
  retry_after(delay, which.key()); // nobody is found by this key if the child is stopped before
  insert(std::move(which));
}

restart_delay& dynamic_supervisor::delay_of(child& which) {
  if (!which.delay)
    which.delay = std::make_unique<restart_delay>();
  return *which.delay;
}

void dynamic_supervisor::restart_now(child_map::node_type which) {
  if (!may_restart()) {
    tell_about(report_kind::shutdown, which.mapped(), "reached_max_restart_intensity"_a);
    return shut_down(atoms::shutdown());
  }
  start(std::move(which),
        [this](child_map::node_type restarted, const actors::start_result& result) {
          auto& now = restarted.mapped();
          if (result.how == actors::start_result::kind::stop) {
            tell_about(report_kind::start_error, now, result.value);
            now.has_failed = true;
            if (now.spec->backoff)
              return restart_later(std::move(restarted));
            post_retry(restarted.key());
          } else if (result.how == actors::start_result::kind::ignore) {
            return;
          } else {
            now.has_failed = false;
            now.last_pid = nullptr;
          }
          insert(std::move(restarted));
        });
}

void dynamic_supervisor::retry(const term& key) {
  const auto id = key.as<caf::actor_id>().value_or(0);
  const auto found = children_.find(id);
  if (found != children_.end() && !found->second.pid)
    restart_now(extract(id));
}

// -- stopping -------------------------------------------------------------------------------------

void dynamic_supervisor::answer(terminate_child& request, actors::pending_answer& from) {
  const auto* pid = std::get_if<caf::actor>(&request.child);
  if (!pid || !*pid)
    return from.deliver(error_reply(is_simple() ? "simple_one_for_one"_a : "not_found"_a));
  const auto found = children_.find(pid->id());
  if (found == children_.end()) { // OTP's does not tell a child that is gone from any other process
    const bool gone = is_simple() && !is_alive(*pid);
    return from.deliver(gone ? ok_reply() : error_reply("not_found"_a));
  }
  stopped_ = [this, from]() mutable {
    from.deliver(ok_reply());
    set_idle();
  };
  set_busy();
  ++stopping_;
  const auto group = new_group();
  if (found->second.pid && !found->second.ended)
    limit_stop(found->second.spec->shutdown_or_default(), group);
  stop(pid->id(), group);
}

/// One that is found dead is not asked to end.
void dynamic_supervisor::stop(caf::actor_id key, stop_group group) {
  auto& which = children_.at(key);
  if (which.pid && !which.ended)
    return stop_child(which.pid, which.spec->shutdown_or_default(), group);
  const auto gone = extract(key);
  if (gone.mapped().ended)
    on_end_of_stop(gone.mapped(), *gone.mapped().ended, true);
  on_one_stopped();
}

void dynamic_supervisor::on_stopped(const caf::actor& pid, const term& reason) {
  if (starting_ && starting_->which.mapped().pid == pid)
    return on_start_result({actors::start_result::kind::stop, "timeout"_a});
  const auto gone = extract(pid.id());
  on_end_of_stop(gone.mapped(), reason, false);
  on_one_stopped();
}

void dynamic_supervisor::on_one_stopped() {
  if (--stopping_ == 0)
    std::exchange(stopped_, nullptr)();
}

void dynamic_supervisor::on_end_of_stop(child& which, const term& reason, bool found_dead) {
  which.last_pid = which.pid.address();
  if (is_silent(*which.spec, reason, found_dead))
    tell_about(report_kind::child_stopped, which, reason);
  else if (is_simple() && is_shutting_down())
    ++errors_[reason];
  else
    tell_about(report_kind::shutdown_error, which, reason);
}

bool dynamic_supervisor::is_silent(const child_spec& spec, const term& reason,
                                   bool found_dead) const {
  if (is_simple())
    return is_silent_stop(spec, reason);
  // Elixir's own rules: `monitor_children/1` and `wait_child/4` in dynamic_supervisor.ex.
  const bool orderly = reason == atoms::normal() && spec.restart != restart_type::permanent;
  if (found_dead)
    return orderly;
  if (std::holds_alternative<brutal_kill>(spec.shutdown_or_default()))
    return reason == atoms::killed();
  return orderly || reason == atoms::shutdown() || reason.is_tuple("shutdown", 2);
}

void dynamic_supervisor::stop_children() {
  stopped_ = [this] {
    for (const auto& [reason, count] : errors_)
      tell({.kind = report_kind::shutdown_error,
            .id = template_->id,
            .count = count,
            .reason = reason,
            .child = template_});
    children_stopped();
  };
  // All at once: those with the same time share it.
  std::map<std::optional<std::chrono::milliseconds>, stop_group> groups;
  std::vector<caf::actor_id> keys;
  keys.reserve(children_.size());
  for (const auto& [key, which] : children_)
    keys.push_back(key);
  stopping_ = keys.size() + 1;
  for (const auto key : keys) {
    const auto policy = children_.at(key).spec->shutdown_or_default();
    const auto* time = std::get_if<std::chrono::milliseconds>(&policy);
    const auto [group, is_new] = groups.try_emplace(time ? std::optional{*time} : std::nullopt, 0);
    if (is_new) {
      group->second = new_group();
      limit_stop(policy, group->second);
    }
    stop(key, group->second);
  }
  on_one_stopped();
}

void dynamic_supervisor::terminate(const term& reason) {
  starting_.reset();
  stopped_ = nullptr;
  children_.clear();
  list_.clear();
  supervisor_core::terminate(reason);
}

// -- other requests -------------------------------------------------------------------------------

void dynamic_supervisor::answer(restart_child&, actors::pending_answer& from) {
  from.deliver(error_reply(is_simple() ? "simple_one_for_one"_a : "not_supported"_a));
}

void dynamic_supervisor::answer(delete_child&, actors::pending_answer& from) {
  from.deliver(error_reply(is_simple() ? "simple_one_for_one"_a : "not_supported"_a));
}

void dynamic_supervisor::answer(get_childspec& request, actors::pending_answer& from) {
  const child_spec* found = nullptr;
  if (const auto* pid = std::get_if<caf::actor>(&request.child)) {
    const auto known = *pid ? children_.find(pid->id()) : children_.end();
    if (known != children_.end())
      found = known->second.spec.get();
  } else if (is_simple() && std::get<term>(request.child) == template_->id) {
    found = template_.get();
  }
  if (found)
    from.deliver(supervisor_reply{tuple_of(atoms::ok(), to_term(*found)), nullptr});
  else
    from.deliver(error_reply("not_found"_a));
}

children dynamic_supervisor::list() const {
  return {list_};
}

child_counts dynamic_supervisor::count() const {
  const std::uint64_t all = children_.size();
  return {is_simple() ? 1 : all, all - restarting_, supervisors_, all - supervisors_};
}

void dynamic_supervisor::tell_about(report_kind kind, const child& about, term reason, term info) {
  if (!is_wanted(kind))
    return;
  // OTP's shows a child as restarting in what follows the report of its first failed start,
  // Elixir's in reports of failed starts only.
  const bool is_restarting = is_simple() ? about.has_failed : kind == report_kind::start_error;
  tell({.kind = kind,
        .id = is_simple() ? about.spec->id : atoms::undefined(),
        .pid = about.last_pid,
        .state = is_restarting ? child_state::restarting : child_state::running,
        .reason = std::move(reason),
        .info = std::move(info),
        .child = about.spec});
}

} // namespace penning::supervision
