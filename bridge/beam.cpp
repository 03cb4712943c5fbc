#include <penning/bridge/beam.hpp>

#include <utility>

namespace penning::bridge {

namespace atoms = actors::atoms;

// -- the table ------------------------------------------------------------------------------------

caf::actor beam::actor_of(const actors::pid& pid) {
  if (pid.node == actors::own_node())
    return {};
  const term name{pid};
  {
    const std::lock_guard lock{mutex_};
    if (const auto proxy = proxies_.find(name); proxy != proxies_.end())
      return caf::actor_cast<caf::actor>(proxy->second);
    if (auto known = find_locked(name))
      return known;
  }
  return process_of(name);
}

caf::actor beam::named(std::string_view name) {
  return process_of(actors::atom{name});
}

caf::actor beam::process_of(const term& name) {
  auto known = find(name);
  if (known)
    return known;
  auto made = system_.spawn<beam_process>(shared_from_this(), name);
  bool gone = false;
  {
    const std::lock_guard lock{mutex_};
    gone = gone_;
    if (!gone)
      known = processes_.try_emplace(name, made).first->second;
  }
  if (known != made) { // somebody else was faster, or the port has closed
    actors::post(made, process_gone{atoms::noconnection()});
    return known ? known : made;
  }
  post(caf::make_message(watch_process{name}));
  return made;
}

term beam::name_of(const caf::actor& actor) {
  if (!actor)
    return atoms::undefined();
  const auto* process = dynamic_cast<beam_process*>(caf::actor_cast<caf::abstract_actor*>(actor));
  if (process)
    return process->beam_name();
  post(caf::make_message(introduce{actor}));
  return actors::to_pid(actor.address());
}

caf::actor beam::find(const term& name) const {
  const std::lock_guard lock{mutex_};
  return find_locked(name);
}

caf::actor beam::find_locked(const term& name) const {
  const auto known = processes_.find(name);
  return known == processes_.end() ? caf::actor{} : known->second;
}

void beam::forget(const term& name) {
  const std::lock_guard lock{mutex_};
  processes_.erase(name);
}

void beam::add_proxy(const actors::pid& pid, const caf::actor& actor) {
  const std::lock_guard lock{mutex_};
  proxies_.insert_or_assign(pid, actor.address());
}

void beam::remove_proxy(const actors::pid& pid) {
  const std::lock_guard lock{mutex_};
  proxies_.erase(pid);
}

// -- the bridge -----------------------------------------------------------------------------------

void beam::attach(const caf::actor& bridge) {
  const std::lock_guard lock{mutex_};
  bridge_ = bridge;
  for (auto& message : std::exchange(waiting_, {}))
    actors::post_message(bridge_, std::move(message));
}

void beam::post(caf::message message) {
  const std::lock_guard lock{mutex_};
  if (bridge_)
    actors::post_message(bridge_, std::move(message));
  else if (!gone_)
    waiting_.push_back(std::move(message));
}

void beam::detach() {
  std::unordered_map<term, caf::actor> processes;
  {
    const std::lock_guard lock{mutex_};
    gone_ = true;
    bridge_ = nullptr;
    waiting_.clear();
    proxies_.clear();
    processes = std::exchange(processes_, {});
  }
  for (const auto& [name, process] : processes)
    actors::post(process, process_gone{atoms::noconnection()});
}

// -- a process ------------------------------------------------------------------------------------

beam_process::beam_process(caf::actor_config& config, std::shared_ptr<beam> home, term name)
    : relay{config},
      home_{std::move(home)},
      name_{std::move(name)} {}

actors::start_result beam_process::init() {
  trap_exit(true);
  return {};
}

caf::message_handler beam_process::receive() {
  return {[this](process_gone& message) { exit(std::move(message.reason)); }};
}

bool beam_process::takes_itself(const mail_content& mail) const {
  if (mail.match_elements<actors::exit_signal>())
    return mail.get_as<actors::exit_signal>(0).by_link;
  return mail.match_elements<actors::link_request>()
         || mail.match_elements<actors::unlink_request>() || mail.match_elements<process_gone>()
         || mail.match_elements<caf::down_msg>();
}

void beam_process::pass_on(caf::message mail, actors::answer_to from) {
  if (mail.match_elements<actors::exit_signal>()) {
    const auto& signal = mail.get_as<actors::exit_signal>(0);
    home_->post(caf::make_message(process_signal{name_, signal.from, signal.reason}));
  } else if (mail.match_elements<caf::exit_msg>()) {
    const auto& signal = mail.get_as<caf::exit_msg>(0);
    const bool kill = signal.reason == caf::exit_reason::kill;
    const auto reason = kill ? term{atoms::kill()} : actors::reason_from(signal.reason);
    home_->post(caf::make_message(process_signal{name_, signal.source, reason}));
  } else {
    home_->post(caf::make_message(to_process{name_, std::move(mail), std::move(from)}));
  }
}

/// Only of those that were linked: any other signal is passed on.
void beam_process::handle_exit(const caf::actor_addr& from, const term& reason) {
  home_->post(caf::make_message(process_link_end{name_, from, reason}));
}

void beam_process::handle_link(const caf::actor_addr& from) {
  home_->post(caf::make_message(process_link{name_, from, true}));
}

void beam_process::handle_unlink(const caf::actor_addr& from) {
  home_->post(caf::make_message(process_link{name_, from, false}));
}

} // namespace penning::bridge
