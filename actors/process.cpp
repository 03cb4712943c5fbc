#include <penning/actors/callback.hpp>
#include <penning/actors/process.hpp>

#include <exception>
#include <string>
#include <thread>
#include <vector>

namespace penning::actors {

namespace {

process* as_process(const caf::actor& actor) {
  return dynamic_cast<process*>(caf::actor_cast<caf::abstract_actor*>(actor));
}

/// A process that is told of its own last moment; null for any other actor.
process* watched_by_key(const caf::actor& actor) {
  return quiet_actor::hears_of_its_end ? as_process(actor) : nullptr;
}

thread_local process* running = nullptr; // within `resume`

void observe_foreign(const caf::actor& actor, const void* key,
                     std::function<void(const term& reason)> call) {
  // Only a call in this thread before `attach` has returned means that it was dead already.
  auto attaching = std::make_shared<std::atomic<bool>>(true);
  auto report = [attaching, thread = std::this_thread::get_id(),
                 call = std::move(call)](const caf::error& reason) {
    const bool dead_before = *attaching && thread == std::this_thread::get_id();
    call(dead_before ? term{atoms::noproc()} : reason_from(reason));
  };
  exit_observer::attach(actor, key, std::move(report));
  *attaching = false;
}

/// `ok`, `{ok, Info}`, `ignore` or `{error, Reason}`.
term to_ack(const start_result& result) {
  using enum start_result::kind;
  if (result.how == stop)
    return tuple_of(atoms::error(), result.value);
  if (result.how == ignore)
    return atom{"ignore"};
  if (result.value == atoms::undefined())
    return atoms::ok();
  return tuple_of(atoms::ok(), result.value);
}

bool has_failed(const start_result& result) {
  return result.how == start_result::kind::stop || result.how == start_result::kind::ignore;
}

start_result from_ack(const term& ack) {
  using enum start_result::kind;
  const auto* pair = ack.get_if<tuple>();
  if (ack.is_tuple("error", 2))
    return {stop, (*pair)[1]};
  if (ack.is_atom("ignore"))
    return {ignore};
  return {ok, pair ? (*pair)[1] : term{atoms::undefined()}};
}

} // namespace

process::process(caf::actor_config& config) : quiet_actor{config} {
  set_exit_handler([this](caf::exit_msg& message) {
    exit_signal signal{message.source, reason_from(message.reason), false};
    on_signal(signal);
  });
  // As in OTP, who sends to a process that does not understand him comes to no harm: 0.17 would
  // send back an error, which by default ends its receiver.
  set_error_handler([](caf::error&) {});
  set_default_handler(
    [this](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
      if (is_request(this))
        return caf::sec::unexpected_message;
      return no_answer<caf::message>();
    });
  set_exception_handler([this](std::exception_ptr& exception) -> caf::error {
    exit(exception_reason(exception));
    return reason_to_error(reason_);
  });
}

process::~process() = default;

void process::exit(term reason) {
  if (ended_)
    return;
  ended_ = true;
  reason_ = std::move(reason);
  if (timers_)
    timers_->close();
  end(reason_to_error(reason_));
}

timer_queue& process::timers() {
  if (!timers_)
    timers_ = std::make_unique<timer_queue>(*this);
  if (ended_)
    timers_->close();
  return *timers_;
}

void process::exit(const caf::actor& other, term reason) {
  actors::send_exit(other, address(), std::move(reason));
}

void process::launch(execution_context* context, bool lazy, bool hide) {
  if (lazy)
    return;
  run_init();
  set_going(context, hide);
}

started process::begin(caf::local_actor& parent, caf::actor child, bool wants_ack) {
  using enum start_result::kind;
  // Nobody else knows the child yet, and it handles no message before it is launched below.
  auto& self = *as_process(child);
  auto* starter = dynamic_cast<process*>(&parent);
  self.parent_ = parent.address();
  self.wants_ack_ = wants_ack;
  self.links_.reserve(1); // else it begins with room for 13, and few have more than two
  auto link =
    self.links_.emplace(self.parent_, starter ? peer_kind::process : peer_kind::foreign).first;
  if (starter)
    starter->links_.emplace(child.address(), peer_kind::process);
  else
    self.watch(caf::actor_cast<caf::actor>(self.parent_), &*link);
  auto result = self.run_init();
  const bool failed = has_failed(result);
  if (wants_ack && failed) { // the answer is enough
    self.forget(self.parent_);
    if (starter)
      starter->links_.erase(child.address());
  }
  self.set_going(launch_context(parent), false);
  if (wants_ack && !starter && result.how != pending)
    post(caf::actor_cast<caf::actor>(self.parent_), init_ack{child.address(), to_ack(result)});
  return {failed ? nullptr : std::move(child), std::move(result)};
}

void process::set_going(execution_context* context, bool hide) {
  if (ended_) { // ended within `init`: gone before anyone hears of it
    on_exit();
    cleanup(reason_to_error(reason_), context);
  } else { // there is nothing to do before the first message; one that came meanwhile counts
    quiet_actor::launch(context, true, hide);
  }
}

bool process::is_alive(const caf::actor& actor) {
  if (auto* known = as_process(actor))
    return !known->gone_.load(std::memory_order_acquire);
  return !has_terminated(actor);
}

void process::at_end(const caf::actor& actor, std::function<void()> call) {
  auto* known = as_process(actor);
  if (!known)
    return exit_observer::attach(actor, nullptr,
                                 [call = std::move(call)](const caf::error&) { call(); });
  const bool is_kept = known->exclusive_critical_section([&] {
    const bool gone = known->gone_.load(std::memory_order_relaxed);
    if (!gone)
      known->end_calls_of().first.push_back(std::move(call));
    return !gone;
  });
  if (!is_kept)
    call();
}

process::end_calls& process::end_calls_of() {
  if (!at_end_)
    at_end_ = std::make_unique<end_calls>();
  return *at_end_;
}

/// Runs `call` with the reason of `actor`'s end, or with `noproc` if it has ended already.
void process::observe(const caf::actor& actor, const void* key, end_watcher call) {
  auto* known = watched_by_key(actor);
  if (!known)
    return observe_foreign(actor, key, std::move(call));
  const bool is_kept = known->exclusive_critical_section([&] {
    if (!known->has_told_)
      known->end_calls_of().last.emplace(key, std::move(call));
    return !known->has_told_;
  });
  if (!is_kept)
    call(atoms::noproc());
}

void process::unobserve(const caf::actor& actor, const void* key) {
  auto* known = watched_by_key(actor);
  if (!known)
    return exit_observer::detach(actor, key);
  known->exclusive_critical_section([&] {
    if (known->at_end_)
      known->at_end_->last.erase(key);
  });
}

void process::cleaned_up() {
  const auto calls = exclusive_critical_section([&] {
    has_told_ = true;
    return std::exchange(at_end_, nullptr);
  });
  if (calls)
    for (const auto& [key, call] : calls->last)
      call(reason_);
}

void process::run_at_end(bool gone) {
  const auto calls = exclusive_critical_section([&] {
    gone_.store(gone, std::memory_order_release);
    return at_end_ ? std::exchange(at_end_->first, {}) : std::vector<std::function<void()>>{};
  });
  for (auto& call : calls)
    call();
}

void process::watch(const caf::actor& foreign, const void* key) {
  observe(foreign, key, [self = address(), peer = foreign.address()](const term& reason) {
    if (auto me = caf::actor_cast<caf::actor>(self))
      post(me, exit_signal{peer, reason, true});
  });
}

void process::link(const caf::actor& other) {
  if (ended_) // else it would not end before it had an answer
    return;
  const auto kind = as_process(other) ? peer_kind::process : peer_kind::foreign;
  if (other.address() == address())
    return;
  auto [node, added] = links_.emplace(other.address(), kind);
  if (!added)
    return;
  if (kind == peer_kind::foreign)
    return watch(other, &*node);
  actors::request_urgent(this, other, link_request{address()})
    .then([] {}, [this, peer = other.address()](const caf::error&) { // its mailbox is closed
      exit_signal signal{peer, atoms::noproc(), true};
      on_signal(signal);
    });
}

void process::unlink(const caf::actor& other) {
  if (forget(other.address()) == peer_kind::process)
    post_urgent(other, unlink_request{address()});
}

std::optional<process::peer_kind> process::forget(const caf::actor_addr& peer) {
  const auto node = links_.find(peer);
  if (node == links_.end())
    return std::nullopt;
  const auto kind = node->second;
  if (kind == peer_kind::foreign)
    if (auto actor = caf::actor_cast<caf::actor>(peer))
      exit_observer::detach(actor, &*node);
  links_.erase(node);
  return kind;
}

monitor_ref process::monitor(const caf::actor& other) {
  if (!monitors_)
    monitors_ = std::make_unique<monitors>();
  const auto ref = ++monitors_->last;
  auto node = monitors_->all.emplace(ref, other.address()).first;
  observe(other, &*node, [self = address(), ref, peer = other.address()](const term& reason) {
    if (auto me = caf::actor_cast<caf::actor>(self))
      post(me, down{ref, peer, reason});
  });
  return ref;
}

void process::demonitor(monitor_ref ref) {
  if (!monitors_)
    return;
  auto& all = monitors_->all;
  const auto node = all.find(ref);
  if (node == all.end())
    return;
  if (auto peer = caf::actor_cast<caf::actor>(node->second))
    unobserve(peer, &*node);
  all.erase(node);
}

void process::on_signal(exit_signal& signal) {
  if (ended_)
    return;
  if (signal.by_link) {
    if (links_.erase(signal.from) == 0)
      return; // unlinked meanwhile
  } else if (signal.reason == atoms::kill()) {
    return handle_kill();
  }
  if (traps_.load(std::memory_order_relaxed))
    handle_exit(signal.from, signal.reason);
  else if (signal.reason != atoms::normal())
    exit(signal.reason);
}

void process::handle_exit(const caf::actor_addr&, const term&) {}

void process::handle_kill() {
  exit(atoms::killed());
}

void process::handle_down(const down&) {}

void process::handle_link(const caf::actor_addr&) {}

void process::handle_unlink(const caf::actor_addr&) {}

void process::handle_ack(const caf::actor_addr&, const start_result&) {}

void process::terminate(const term&) {}

process& process::current() noexcept {
  return *running;
}

caf::resumable::resume_result process::resume(execution_context* context, std::size_t most) {
  struct scope {
    process* before;
    ~scope() { running = before; }
  } restored{std::exchange(running, this)};
  return quiet_actor::resume(context, most);
}

/// What every process understands: one table for all.
caf::message_handler process::own_messages() {
  return {
    [](exit_signal& signal) { current().on_signal(signal); },
    [](link_request& request) {
      current().links_.emplace(request.from, peer_kind::process);
      current().handle_link(request.from);
    },
    [](unlink_request& request) {
      if (current().links_.erase(request.from) > 0)
        current().handle_unlink(request.from);
    },
    [](down& message) { current().on_down(message); },
    [](init_ack& ack) { current().on_ack(ack); },
  };
}

caf::behavior process::make_behavior() {
  static const caf::message_handler shared = own_messages();
  return shared.or_else(receive());
}

void process::on_down(const down& message) {
  if (monitors_ && monitors_->all.erase(message.monitor) > 0)
    handle_down(message);
}

void process::on_ack(const init_ack& ack) {
  const auto result = from_ack(ack.result);
  if (has_failed(result))
    links_.erase(ack.from);
  handle_ack(ack.from, result);
}

start_result process::run_init() {
  using enum start_result::kind;
  start_result result;
  std::optional<start_result> acknowledged;
  init_result_ = &acknowledged;
  try {
    if (result = claim_name(); result.how == ok)
      result = init();
    if (acknowledged)
      result = *std::move(acknowledged);
  } catch (...) {
    result = {stop, exception_reason(std::current_exception())};
  }
  init_result_ = nullptr;
  settle(result);
  return result;
}

start_result process::claim_name() {
  if (!name_)
    return {};
  const auto claim = register_name(system(), *name_, caf::actor{this});
  has_name_ = static_cast<bool>(claim);
  if (claim)
    return {};
  if (claim.error != name_errc::taken)
    return {start_result::kind::stop, atom{to_string(claim.error)}};
  const auto owner = claim.owner ? term{to_pid(claim.owner.address())} : atoms::undefined();
  return {start_result::kind::stop, tuple_of(atom{"already_started"}, owner)};
}

/// A local name goes by `at_end`, as in every registry of ours; another one may know of no end.
void process::give_up_name() {
  if (!std::exchange(has_name_, false) || name_->is_local())
    return;
  try {
    auto& registry = name_->registry(system());
    if (registry.whereis_name(name_->name()).address() == address())
      registry.unregister_name(name_->name());
  } catch (...) { // it ends all the same
  }
}

void process::acknowledge(start_result result) {
  if (init_result_) {
    *init_result_ = std::move(result);
    return;
  }
  if (std::exchange(wants_ack_, false)) {
    if (has_failed(result)) {
      forget(parent_); // the answer is enough
      give_up_name();
      run_at_end(false);
    }
    if (auto parent = caf::actor_cast<caf::actor>(parent_))
      post(parent, init_ack{address(), to_ack(result)});
  }
  settle(result);
}

void process::settle(const start_result& result) {
  using enum start_result::kind;
  if (result.how == stop)
    exit(result.value);
  else if (result.how == ignore)
    exit(atoms::normal());
  if (result.how != pending)
    wants_ack_ = false;
}

void process::on_exit() {
  if (!std::exchange(ended_, true)) // CAF's own end: `kill`, or nobody has a handle any more
    reason_ = atoms::killed();
  // Held until they are told: `terminate` gives up handles, and whom nobody holds ends unheard.
  std::vector<caf::actor> linked;
  for (auto& node : links_)
    if (auto peer = caf::actor_cast<caf::actor>(node.first))
      linked.push_back(std::move(peer));
  try {
    terminate(reason_);
  } catch (...) {
    reason_ = exception_reason(std::current_exception());
  }
  give_up_name();
  run_at_end(true);
  if (const auto watched = std::exchange(monitors_, nullptr))
    for (auto& node : watched->all)
      if (auto peer = caf::actor_cast<caf::actor>(node.second))
        unobserve(peer, &node);
  for (auto& node : links_)
    tell(node, reason_);
  links_.clear();
  timers_.reset();
}

void process::leave(const caf::actor_addr& peer, term reason) {
  if (auto node = links_.find(peer); node != links_.end()) {
    give_up_name();
    run_at_end(false);
    tell(*node, reason);
    links_.erase(node);
  }
}

void process::tell(const links::value_type& link, const term& reason) {
  const auto peer = caf::actor_cast<caf::actor>(link.first);
  if (!peer)
    return;
  if (link.second == peer_kind::foreign) {
    exit_observer::detach(peer, &link);
    post_caf_exit(peer, address(), reason_to_error(reason));
  } else {
    send_signal(peer, {address(), reason, true});
  }
}

term exception_reason(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const exit_with& end) {
    return end.reason;
  } catch (const term& reason) {
    return reason;
  } catch (const std::exception& e) {
    return tuple_of(atom{"exception"}, binary{e.what()});
  } catch (...) {
    return tuple_of(atom{"exception"}, binary{"unknown"});
  }
}

const atom& own_node() {
  static const atom node{"penning"};
  return node;
}

pid to_pid(const caf::actor_addr& address) {
  const auto id = address ? address.id() : 0;
  return {own_node(), static_cast<std::uint32_t>(id), static_cast<std::uint32_t>(id >> 32), 0};
}

term reason_from(const caf::error& reason) {
  if (!reason)
    return atoms::normal();
  if (reason == caf::exit_reason::user_shutdown)
    return atoms::shutdown();
  if (reason == caf::exit_reason::kill || reason == caf::exit_reason::unreachable)
    return atoms::killed();
  if (auto* own = payload<term>(reason))
    return *own;
  return tuple_of(atom{"caf"}, binary{caf::to_string(reason)});
}

caf::error reason_to_error(const term& reason) {
  if (reason == atoms::normal())
    return {};
  return make_payload_error(reason, error_kind::end);
}

void process::send_signal(const caf::actor& to, exit_signal signal) {
  // To one that traps it is a message among others. Any other it ends, whatever waits in the
  // mailbox: nothing of that would be handled any more in OTP either.
  const bool traps = as_process(to)->traps_.load(std::memory_order_relaxed);
  if (traps && (signal.by_link || signal.reason != atoms::kill()))
    post(to, std::move(signal));
  else
    post_urgent(to, std::move(signal));
}

void send_exit(const caf::actor& to, const caf::actor_addr& from, term reason) {
  if (as_process(to))
    return process::send_signal(to, {from, std::move(reason), false});
  const bool kill = reason == atoms::kill();
  post_caf_exit(to, from, kill ? caf::make_error(caf::exit_reason::kill) : reason_to_error(reason));
}

} // namespace penning::actors
