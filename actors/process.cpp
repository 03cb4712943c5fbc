#include <penning/actors/process.hpp>

#include <exception>
#include <string>
#include <thread>
#include <vector>

namespace penning::actors {

namespace {

/// First message of a process that was spawned lazily: only that there is one.
struct start_running {
  static constexpr auto tag = "start_running";
  auto fields() { return std::tuple{}; }
};

bool is_process(const caf::actor& actor) {
  return dynamic_cast<process*>(caf::actor_cast<caf::abstract_actor*>(actor)) != nullptr;
}

/// Runs `call` with the reason of `actor`'s end, or with `noproc` if it has ended already.
template <class Call>
void observe(const caf::actor& actor, const void* key, Call call) {
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

} // namespace

process::process(caf::actor_config& config) : event_based_actor{config} {
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
  quit(reason_to_error(reason_));
}

void process::exit(const caf::actor& other, term reason) {
  actors::send_exit(other, address(), std::move(reason));
}

caf::actor process::adopt(caf::local_actor& parent, caf::actor child, bool wants_ack) {
  // Nobody else knows the child yet, and it runs only once it gets the message below.
  auto& self = dynamic_cast<process&>(*caf::actor_cast<caf::abstract_actor*>(child));
  self.parent_ = parent.address();
  self.wants_ack_ = wants_ack;
  if (auto* known = dynamic_cast<process*>(&parent)) {
    self.links_.emplace(self.parent_, false);
    known->links_.emplace(child.address(), false);
  } else {
    auto node = self.links_.emplace(self.parent_, true).first;
    self.watch(caf::actor_cast<caf::actor>(self.parent_), &*node);
  }
  post(child, start_running{});
  return child;
}

void process::watch(const caf::actor& foreign, const void* key) {
  observe(foreign, key, [self = address(), peer = foreign.address()](term reason) {
    if (auto me = caf::actor_cast<caf::actor>(self))
      post(me, exit_signal{peer, std::move(reason), true});
  });
}

void process::link(const caf::actor& other) {
  const bool foreign = !is_process(other);
  if (other.address() == address())
    return;
  auto [node, added] = links_.emplace(other.address(), foreign);
  if (!added)
    return;
  if (foreign)
    return watch(other, &*node);
  actors::request(this, other, link_request{address()})
    .then([] {}, [this, peer = other.address()](const caf::error&) { // its mailbox is closed
      exit_signal signal{peer, atoms::noproc(), true};
      on_signal(signal);
    });
}

void process::unlink(const caf::actor& other) {
  auto node = links_.find(other.address());
  if (node == links_.end())
    return;
  if (node->second)
    exit_observer::detach(other, &*node);
  else
    post(other, unlink_request{address()});
  links_.erase(node);
}

monitor_ref process::monitor(const caf::actor& other) {
  const auto ref = ++last_monitor_;
  auto node = monitors_.emplace(ref, other.address()).first;
  observe(other, &*node, [self = address(), ref, peer = other.address()](term reason) {
    if (auto me = caf::actor_cast<caf::actor>(self))
      post(me, down{ref, peer, std::move(reason)});
  });
  return ref;
}

void process::demonitor(monitor_ref ref) {
  auto node = monitors_.find(ref);
  if (node == monitors_.end())
    return;
  if (auto peer = caf::actor_cast<caf::actor>(node->second))
    exit_observer::detach(peer, &*node);
  monitors_.erase(node);
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
  if (traps_)
    handle_exit(signal.from, signal.reason);
  else if (signal.reason != atoms::normal())
    exit(signal.reason);
}

void process::handle_exit(const caf::actor_addr&, const term&) {}

void process::handle_kill() {
  exit(atoms::killed());
}

void process::handle_down(const down&) {}

void process::handle_ack(const caf::actor_addr&, const term&) {}

void process::terminate(const term&) {}

caf::behavior process::make_behavior() {
  run_init();
  if (ended_)
    return {};
  return caf::message_handler{
    [](start_running) {},
    [this](exit_signal& signal) { on_signal(signal); },
    [this](link_request& request) { links_.emplace(request.from, false); },
    [this](unlink_request& request) { links_.erase(request.from); },
    [this](down& message) {
      if (monitors_.erase(message.monitor) > 0)
        handle_down(message);
    },
    [this](init_ack& ack) { handle_ack(ack.from, ack.result); },
  }
    .or_else(receive());
}

void process::run_init() {
  start_result result;
  try {
    result = init();
  } catch (...) {
    result = {start_result::kind::stop, exception_reason(std::current_exception())};
  }
  if (result.how != start_result::kind::pending)
    acknowledge(std::move(result));
}

void process::acknowledge(start_result result) {
  using enum start_result::kind;
  if (std::exchange(wants_ack_, false)) {
    if (auto parent = caf::actor_cast<caf::actor>(parent_))
      post(parent, init_ack{address(), to_ack(result)});
  }
  if (result.how == stop)
    exit(std::move(result.value));
  else if (result.how == ignore)
    exit(atoms::normal());
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
  for (auto& node : monitors_)
    if (auto peer = caf::actor_cast<caf::actor>(node.second))
      exit_observer::detach(peer, &node);
  for (auto& node : links_)
    tell(node, reason_);
  monitors_.clear();
  links_.clear();
}

void process::leave(const caf::actor_addr& peer, term reason) {
  if (auto node = links_.find(peer); node != links_.end()) {
    tell(*node, reason);
    links_.erase(node);
  }
}

void process::tell(const std::pair<const caf::actor_addr, bool>& link, const term& reason) {
  const auto peer = caf::actor_cast<caf::actor>(link.first);
  if (!peer)
    return;
  if (link.second) {
    exit_observer::detach(peer, &link);
    post_caf_exit(peer, address(), reason_to_error(reason));
  } else {
    post(peer, exit_signal{address(), reason, true});
  }
}

term exception_reason(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    return tuple_of(atom{"exception"}, binary{e.what()});
  } catch (...) {
    return tuple_of(atom{"exception"}, binary{"unknown"});
  }
}

pid to_pid(const caf::actor_addr& address) {
  const auto id = address ? address.id() : 0;
  return {atom{"penning"}, static_cast<std::uint32_t>(id), static_cast<std::uint32_t>(id >> 32), 0};
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
  return make_payload_error(reason);
}

void send_exit(const caf::actor& to, const caf::actor_addr& from, term reason) {
  if (!is_process(to)) {
    const bool kill = reason == atoms::kill();
    return post_caf_exit(to, from,
                         kill ? caf::make_error(caf::exit_reason::kill) : reason_to_error(reason));
  }
  exit_signal signal{from, std::move(reason), false};
  // A brutal kill waits behind nothing; any other signal keeps its place among the messages.
  if (signal.reason == atoms::kill())
    post_urgent(to, std::move(signal));
  else
    post(to, std::move(signal));
}

} // namespace penning::actors
