#pragma once

// Children that do what a test tells them, and a supervisor over them, in virtual time.

#include "support/deterministic.hpp"

#include <penning/supervision/supervisor.hpp>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace penning::test {

using namespace supervision;
using actors::process;
using start_kind = actors::start_result::kind;

/// Tells a child to unlink itself from its supervisor.
struct unlink_parent {};

} // namespace penning::test

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::start_result)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::test::unlink_parent)

namespace penning::test {

/// What happened, in order, as `start a`, `stop a shutdown`; and how starts shall go.
struct world {
  std::vector<std::string> trace;
  std::vector<std::string> asked;                        // to end: one entry for each exit signal
  std::map<std::string, std::vector<term>> start_errors; // taken from the front, one per start
  std::map<std::string, caf::actor> actors;
  std::map<std::string, bool> ignores_shutdown, ignores_start, never_answers;
};

class worker : public process {
 public:
  worker(caf::actor_config& config, world& w, std::string id)
      : process{config},
        world_{w},
        id_{std::move(id)} {
    trap_exit(true);
  }

 protected:
  actors::start_result init() override {
    world_.actors[id_] = caf::actor{this};
    if (auto& errors = world_.start_errors[id_]; !errors.empty()) {
      auto reason = errors.front();
      errors.erase(errors.begin());
      world_.trace.push_back("fail " + id_);
      failed_ = true;
      return {actors::start_result::kind::stop, reason};
    }
    if (world_.ignores_start[id_]) {
      failed_ = true;
      return {actors::start_result::kind::ignore, {}};
    }
    world_.trace.push_back("start " + id_);
    if (world_.never_answers[id_])
      return {actors::start_result::kind::pending};
    return {};
  }

  caf::message_handler receive() override {
    return {
      [this](term& reason) { exit(reason); },
      [this](const actors::start_result& result) { acknowledge(result); },
      [this](unlink_parent) { unlink(caf::actor_cast<caf::actor>(parent())); },
    };
  }

  void handle_exit(const caf::actor_addr&, const term& reason) override {
    world_.asked.push_back(id_);
    if (!world_.ignores_shutdown[id_])
      exit(reason);
  }

  void terminate(const term& reason) override {
    if (!failed_)
      world_.trace.push_back("stop " + id_ + " " + to_string(reason));
    world_.actors.erase(id_);
  }

 private:
  world& world_;
  std::string id_;
  bool failed_ = false;
};

/// The parent, who hears the reports as well.
class top : public probe {
 public:
  top(caf::actor_config& config, probe::log& signals, std::vector<report>& reports)
      : probe{config, signals, true},
        reports_{reports} {}

  caf::message_handler receive() override {
    return caf::message_handler{[this](report& r) { reports_.push_back(r); }}.or_else(
      probe::receive());
  }

 private:
  std::vector<report>& reports_;
};

/// `Kind` is the class of the supervisor, `Options` what it is made from.
template <class Kind, class Options = supervisor_options>
class supervised : public deterministic {
 protected:
  using trace = std::vector<std::string>;

  supervised() {
    set_report_log(report_log::off);
    parent_ = spawn<top>(log_, reports_);
    subscribe_reports(parent_);
  }

  ~supervised() override {
    supervisor_ = nullptr;
    actors::send_exit(parent_, {}, atoms::kill());
    advance(10s);
    for (auto& [id, actor] : world{world_}.actors)
      actors::send_exit(actor, {}, atoms::kill());
    world_.actors.clear();
    run();
  }

  child_spec child(const std::string& id, restart_type restart = restart_type::permanent,
                   shutdown_policy shutdown = 5000ms) {
    return {.id = actors::atom{id},
            .start = start_of<worker>(std::ref(world_), id),
            .restart = restart,
            .shutdown = shutdown};
  }

  void start(std::vector<child_spec> children, sup_flags flags = {}) {
    start({flags, std::move(children), "top"});
  }

  void start(Options options) {
    actors::post(parent_, probe::step{[&](probe& self) {
                   auto started = self.start_link<Kind>(std::move(options));
                   supervisor_ = started.pid;
                   result_ = started.result;
                 }});
    run();
  }

  /// How the start went, in the end.
  actors::start_result result() const {
    return log_.acks.empty() ? result_ : log_.acks.back().second;
  }

  static child_spec nested(supervisor_options options) {
    return {.id = "inner"_a,
            .start = start_of<supervisor>(std::move(options)),
            .type = child_type::supervisor};
  }

  void crash(const std::string& id, term reason) {
    actors::post(world_.actors.at(id), std::move(reason));
    run();
  }

  /// One that `never_answers` does so after all.
  void answer_start(const std::string& id, actors::start_result result) {
    actors::post(world_.actors.at(id), std::move(result));
    run();
  }

  void stop(term reason = atoms::shutdown()) {
    actors::send_exit(supervisor_, parent_.address(), std::move(reason));
    run();
  }

  /// What the supervisor answers; `noproc` and the like as an error.
  template <class Answer = supervisor_reply, class Request>
  Answer ask(Request request) {
    std::optional<Answer> result;
    later<Answer>(std::move(request), [&](Answer answer) { result = std::move(answer); });
    run();
    return result.value();
  }

  /// Asks without running anything.
  template <class Answer = supervisor_reply, class Request>
  void later(Request request, std::type_identity_t<std::function<void(Answer)>> then) {
    actors::post(parent_, probe::step{[this, request, then](probe& self) {
                   actors::request(&self, supervisor_, request)
                     .then(
                       [then](Answer& answer) { then(answer); },
                       [this](const caf::error& e) { errors_.push_back(actors::reason_from(e)); });
                 }});
  }

  child_list which() { return ask<children>(which_children{}).list; }
  child_counts count() { return ask<child_counts>(count_children{}); }

  trace take() { return std::exchange(world_.trace, {}); }

  term ended_with() const { return log_.exits.empty() ? term{} : log_.exits.back().second; }

  /// Kind, child and reason of each report since the last call: of OTP's kinds only, unless `all`.
  trace reports(bool all = false) {
    trace result;
    for (const auto& r : std::exchange(reports_, {}))
      if (all || r.kind <= report_kind::shutdown)
        result.push_back(to_string(r.kind) + " " + to_string(r.id) + " " + to_string(r.reason));
    return result;
  }

  world world_;
  probe::log log_;
  std::vector<report> reports_;
  std::vector<term> errors_; // of requests
  actors::start_result result_;
  caf::actor parent_, supervisor_;
};

} // namespace penning::test
