#include "os_children.hpp"

#include "scenario.hpp"

#include <penning/actors/os_process.hpp>

#include <csignal>
#include <set>

namespace penning::conformance {

namespace {

class program final : public actors::os_process {
 public:
  program(caf::actor_config& config, world& where, role who, caf::actor owner,
          actors::os_process_options options)
      : os_process{config, *where.host, std::move(owner), std::move(options)},
        world_{where},
        role_{std::move(who)} {
    if (role_.name)
      set_name(*role_.name);
  }

 protected:
  actors::start_result init() override {
    world_.enter({.id = role_.id,
                  .number = role_.number,
                  .pid = caf::actor{this},
                  .parent = parent(),
                  .is_program = true});
    return os_process::init();
  }

  caf::message_handler receive() override {
    return caf::message_handler{[](supervision::which_children) { return supervision::children{}; }}
      .or_else(os_process::receive());
  }

  void terminate(const term& reason) override {
    world_.leave(id(), reason);
    os_process::terminate(reason);
  }

 private:
  world& world_;
  role role_;
};

std::optional<std::string> obstacle_in_plan(const json& of) {
  for (const auto& each : of.value("plan", json::array()))
    if (each.get<std::string>().starts_with("{dead"))
      return "a child has ended when its start returns";
  return std::nullopt;
}

std::optional<std::string> obstacle_in_child(const json& child) {
  if (auto found = obstacle_in_plan(child))
    return found;
  static const std::set<std::string> unknown{"unlink", "{delay"};
  const auto reaction = child.value("on_shutdown", "obey");
  if (unknown.contains(reaction.substr(0, 6)))
    return "on_shutdown " + reaction;
  for (const auto& each : child.value("children", json::array()))
    if (auto found = obstacle_in_child(each))
      return found;
  return std::nullopt;
}

std::optional<std::string> obstacle_in_event(const json& event) {
  const auto op = event.at("op").get<std::string>();
  if (op == "signal" || op == "sleep")
    return op;
  if (op == "exit" && event.at("reason") != "normal"
      && supervision::is_shutdown_like(to_term(event["reason"])))
    return "a child exits with " + event["reason"].get<std::string>();
  if (auto found = obstacle_in_plan(event))
    return found;
  if (event.contains("spec"))
    if (auto found = obstacle_in_child(event["spec"]))
      return found;
  for (const auto* parts : {"events", "children"})
    for (const auto& each : event.value(parts, json::array()))
      if (auto found = each.contains("op") ? obstacle_in_event(each) : obstacle_in_child(each))
        return found;
  return std::nullopt;
}

} // namespace

std::optional<std::string> obstacle(const json& scenario) {
  for (const auto& child : scenario.at("input").at("children"))
    if (auto found = obstacle_in_child(child))
      return found;
  for (const auto& event : scenario["input"].at("events"))
    if (auto found = obstacle_in_event(event))
      return found;
  return std::nullopt;
}

actors::started start_program(actors::process& parent, world& where, role who,
                              const reaction& on_shutdown, bool exists) {
  actors::os_process_options options;
  options.program = exists ? PENNING_CONFORMANCE_PROGRAM : PENNING_CONFORMANCE_PROGRAM "/missing";
  if (on_shutdown.how == reaction::kind::ignore)
    options.args = {"ignore"};
  return parent.start_link<program>(std::ref(where), std::move(who), caf::actor{&parent},
                                    std::move(options));
}

void request_exit(const caf::actor& program, const term& reason) {
  const char status = reason == actors::atoms::normal() ? 0 : 1;
  actors::post(program, actors::command{{status}});
}

void kill_program(const term& os_pid) {
  const auto pid = os_pid.as<pid_t>().value_or(0);
  if (pid > 0)
    ::kill(pid, SIGKILL);
}

} // namespace penning::conformance
