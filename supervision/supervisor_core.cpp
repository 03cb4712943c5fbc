#include <penning/supervision/supervisor_core.hpp>

#include <penning/actors/runtime.hpp>
#include <penning/actors/timer.hpp>
#include <penning/supervision/spec_term.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace penning::supervision {

namespace {

using namespace actors::literals;
using actors::pending_answer;
using actors::tuple_of;
namespace atoms = actors::atoms;

struct retry_start {
  term key;
};

/// What a code change says where `start_link` says `error`.
term code_change_error(const term& error) {
  const auto* said = error.get_if<actors::tuple>();
  if (error.is_tuple("start_spec", 2) || error.is_tuple("supervisor_data", 2))
    return code_change_error((*said)[1]);
  if (error.is_tuple("invalid_type", 2))
    return tuple_of("bad_flags"_a, (*said)[1]);
  return error;
}

} // namespace

bool is_shutdown_like(const term& reason) {
  return reason == atoms::normal() || reason == atoms::shutdown() || reason.is_tuple("shutdown", 2);
}

bool is_silent_stop(const child_spec& spec, const term& reason) {
  const bool kill = std::holds_alternative<brutal_kill>(spec.shutdown_or_default());
  if (reason == (kill ? atoms::killed() : atoms::shutdown()))
    return true;
  return spec.restart != restart_type::permanent && is_shutdown_like(reason);
}

} // namespace penning::supervision

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::supervision::retry_start)

namespace penning::supervision {

supervisor_core::supervisor_core(caf::actor_config& config, sup_flags flags, std::string name)
    : process{config},
      flags_{flags},
      name_{std::move(name)},
      topics_{actors::topics(system())},
      restarts_{flags.intensity, flags.period} {
  trap_exit(true);
}

// -- what it understands --------------------------------------------------------------------------

template <class Answer>
caf::result<Answer> supervisor_core::serve(std::function<void(pending_answer&)> give,
                                           bool is_system) {
  pending_answer from{make_response_promise()};
  enqueue([give = std::move(give), from]() mutable { give(from); }, from, is_system);
  return from.promise();
}

template <class Request>
auto supervisor_core::server_of() {
  return [this](Request& request) {
    return serve<supervisor_reply>([this, request = std::move(request)](
                                     pending_answer& from) mutable { answer(request, from); });
  };
}

/// As `sys` has it, handled even while nothing else is.
caf::result<supervisor_reply>
supervisor_core::serve_system(std::function<void(pending_answer&)> give) {
  return serve<supervisor_reply>(std::move(give), true);
}

caf::message_handler supervisor_core::receive() {
  return {
    server_of<start_child>(),
    server_of<terminate_child>(),
    server_of<restart_child>(),
    server_of<delete_child>(),
    server_of<get_childspec>(),
    [this](which_children) {
      return serve<children>([this](pending_answer& from) { from.deliver(list()); });
    },
    [this](count_children) {
      return serve<child_counts>([this](pending_answer& from) { from.deliver(count()); });
    },
    [this](suspend) {
      return serve_system([this](pending_answer& from) {
        suspended_ = true;
        from.deliver(supervisor_reply{atoms::ok(), nullptr});
      });
    },
    [this](supervision::resume) {
      return serve_system([this](pending_answer& from) {
        suspended_ = false;
        from.deliver(supervisor_reply{atoms::ok(), nullptr});
      });
    },
    [this](code_change& request) {
      return serve_system([this, to = std::move(request.to)](pending_answer& from) mutable {
        from.deliver(supervisor_reply{on_code_change(to), nullptr});
      });
    },
    [this](stop& request) {
      return serve_system([this, reason = std::move(request.reason)](pending_answer& from) {
        stop_requests_.push_back(from);
        shut_down(reason);
      });
    },
    [this](retry_start& message) { enqueue([this, key = message.key] { retry(key); }); },
    [this](term& message) {
      enqueue([this, message] {
        report what{.kind = report_kind::unexpected_message};
        what.reason = message;
        tell(std::move(what));
      });
    },
  };
}

term supervisor_core::on_code_change(std::variant<supervisor_spec, term>& to) {
  try {
    if (const auto* returned = std::get_if<term>(&to)) {
      if (returned->is_atom("ignore"))
        return atoms::ok();
      const auto state =
        actors::match(*returned, atoms::ok(), actors::tup(actors::bind<term>, actors::bind<term>));
      if (!state)
        return *returned;
      const auto& [flags, specs] = *state;
      // Unlike at the start, what is wrong with one counts before their number.
      child_specs_from_term(specs, resolver(), flags_from_term(flags).auto_shutdown);
      to = supervisor_spec_from_term(flags, specs, resolver());
    }
    change(std::get<supervisor_spec>(std::move(to)));
    return atoms::ok();
  } catch (...) {
    return tuple_of(atoms::error(), code_change_error(refusal_reason(std::current_exception())));
  }
}

// -- one thing at a time --------------------------------------------------------------------------

void supervisor_core::enqueue(work item, std::optional<pending_answer> from, bool is_system) {
  queue_.push_back({std::move(item), std::move(from), is_system});
  run_queue();
}

void supervisor_core::set_idle() {
  busy_ = false;
  asking_.reset();
  run_queue();
}

void supervisor_core::run_queue() {
  if (std::exchange(in_queue_, true))
    return;
  while (!busy_ && !shutdown_reason_) {
    const auto next =
      suspended_ ? std::ranges::find_if(queue_, &queued::is_system) : queue_.begin();
    if (next == queue_.end())
      break;
    auto item = std::move(*next);
    queue_.erase(next);
    asking_ = std::move(item.from);
    item.run();
    if (!busy_)
      asking_.reset();
  }
  in_queue_ = false;
}

void supervisor_core::set_up() {
  up_ = true;
  acknowledge({});
}

void supervisor_core::handle_exit(const caf::actor_addr& from, const term& reason) {
  if (from == parent())
    return on_parent_exit(reason);
  if (from && stopping_.contains(from.id()))
    return finish_stop(from.id(), reason);
  on_exit_signal(from, reason);
}

void supervisor_core::handle_down(const actors::down& message) {
  // The exit signal of a linked one has come before.
  if (message.from && stopping_.contains(message.from.id()))
    finish_stop(message.from.id(), message.reason);
}

void supervisor_core::on_parent_exit(const term& reason) {
  if (shutdown_reason_ || parent_exit_)
    return;
  if (!busy_ || interrupt_start())
    return shut_down(reason);
  parent_exit_ = reason;
  enqueue([this] { shut_down(*parent_exit_); }, std::nullopt, true);
}

bool supervisor_core::interrupt_start() {
  if (!give_up_start())
    return false;
  start_returned();
  return true;
}

void supervisor_core::wait_for_start(const caf::actor& child, const child_spec& spec) {
  if (parent_exit_ && interrupt_start())
    return shut_down(*parent_exit_);
  if (spec.start_timeout)
    start_timer_ = actors::run_after(
      this, *spec.start_timeout, [this, child] { stop_child(child, brutal_kill{}, new_group()); });
}

void supervisor_core::start_returned() {
  actors::cancel_timer(this, std::exchange(start_timer_, {}));
}

// -- starting -------------------------------------------------------------------------------------

actors::started supervisor_core::call_start(const child_spec& spec, const actors::list& arguments,
                                            bool wrap) {
  using enum actors::start_result::kind;
  try {
    auto child = spec.start(*this, arguments);
    if (!child.pid && (child.result.how == ok || child.result.how == pending))
      return {nullptr, {stop, "bad_return"_a}};
    return child;
  } catch (...) {
    auto reason = actors::exception_reason(std::current_exception());
    return {nullptr, {stop, wrap ? term{tuple_of("EXIT"_a, reason)} : std::move(reason)}};
  }
}

void supervisor_core::post_retry(term key) {
  // Through the mailbox, so that what is there already, a shutdown say, is handled first.
  actors::post(caf::actor{this}, retry_start{std::move(key)});
}

actors::timer_ref supervisor_core::retry_after(std::chrono::milliseconds delay, term key) {
  return actors::run_after(this, delay,
                           [this, key = std::move(key)] { enqueue([this, key] { retry(key); }); });
}

bool supervisor_core::may_restart() {
  using namespace std::chrono;
  return restarts_.add(duration_cast<seconds>(system().clock().now().time_since_epoch()));
}

void supervisor_core::set_flags(const sup_flags& flags) {
  flags_ = flags;
  restarts_.set_limits(flags.intensity, flags.period);
}

// -- stopping -------------------------------------------------------------------------------------

void supervisor_core::stop_child(const caf::actor& pid, const shutdown_policy& how,
                                 stop_group group) {
  // By monitor: a child that unlinked itself would never send an exit signal.
  stopping_.insert_or_assign(pid.id(), stopping{pid, monitor(pid), group});
  exit(pid, std::holds_alternative<brutal_kill>(how) ? atoms::kill() : atoms::shutdown());
}

void supervisor_core::limit_stop(const shutdown_policy& how, stop_group group) {
  const auto* time = std::get_if<std::chrono::milliseconds>(&how);
  if (!time)
    return;
  stop_timers_.push_back(actors::run_after(this, *time, [this, group] {
    for (const auto& [id, child] : stopping_)
      if (child.group == group)
        exit(child.pid, atoms::kill());
  }));
}

void supervisor_core::finish_stop(caf::actor_id id, const term& reason) {
  const auto child = std::move(stopping_.extract(id).mapped());
  if (stopping_.empty())
    for (const auto timer : std::exchange(stop_timers_, {}))
      actors::cancel_timer(this, timer);
  demonitor(child.monitor);
  unlink(child.pid); // an exit signal still on its way shall not be taken for another's
  on_stopped(child.pid, reason);
}

void supervisor_core::shut_down(term reason) {
  if (shutdown_reason_)
    return;
  shutdown_reason_ = std::move(reason);
  busy_ = true;
  self_ = caf::actor{this};
  stop_children();
}

void supervisor_core::children_stopped() {
  if (up_)
    exit(*shutdown_reason_);
  else
    acknowledge({actors::start_result::kind::stop, *shutdown_reason_});
  self_ = nullptr;
}

void supervisor_core::terminate(const term& reason) {
  for (auto& request : stop_requests_)
    request.deliver(supervisor_reply{atoms::ok(), nullptr});
  if (asking_)
    asking_->fail(reason);
  for (auto& each : queue_)
    if (each.from)
      each.from->fail(reason);
  queue_.clear();
  asking_.reset();
  stop_requests_.clear();
  stopping_.clear();
  if (is_wanted(report_kind::supervisor_ended))
    tell({.kind = report_kind::supervisor_ended, .reason = reason});
  self_ = nullptr;
}

void supervisor_core::tell(report what) {
  what.supervisor = name_;
  what.supervisor_pid = address();
  detail::publish(topics_, std::move(what));
}

} // namespace penning::supervision
