#include <penning/supervision/start_order.hpp>
#include <penning/supervision/supervisor.hpp>

#include <exception>
#include <utility>

namespace penning::supervision {

using namespace actors::literals;
using actors::tuple_of;
namespace atoms = actors::atoms;

namespace {

actors::atom atom_of(child_state state) {
  return state == child_state::running ? "running"_a : "restarting"_a;
}

} // namespace

void supervisor::answer(start_child& request, actors::pending_answer& from) {
  child_spec spec;
  try {
    if (auto* given = std::get_if<term>(&request.child)) {
      spec = child_spec_from_term(*given, resolve_, flags().auto_shutdown);
    } else {
      spec = std::get<child_spec>(std::move(request.child));
      validate(spec, flags().auto_shutdown);
    }
    for (const auto& id : spec.start_after)
      if (!find(id))
        throw spec_error{tuple_of("invalid_start_after"_a, id)};
  } catch (...) {
    return from.deliver(error_reply(refusal_reason(std::current_exception())));
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
  require_static(to.flags);
  validate(to);
  set_flags(to.flags);
  auto others = std::exchange(children_, {});
  for (auto& spec : in_start_order(std::move(to.children))) {
    const auto known = by_id_.find(spec.id);
    if (known == by_id_.end()) {
      add(std::move(spec));
    } else {
      children_.splice(children_.end(), others, known->second);
      known->second->spec = std::make_shared<const child_spec>(std::move(spec));
    }
  }
  children_.splice(children_.end(), others);
  release_held_back();
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

// -- what they need -------------------------------------------------------------------------------

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

} // namespace penning::supervision
