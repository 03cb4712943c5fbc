#include "tree_reload.hpp"

#include "journal.hpp"
#include "read_tree.hpp"
#include "reason_text.hpp"
#include "tree_builder.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace penning::apps {

namespace {

using supervision::child_list;
using supervision::supervisor_reply;
using supervision::tree_supervisor;

struct begin_reload {};

} // namespace

} // namespace penning::apps

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::apps::begin_reload)

namespace penning::apps {

tree_reload::tree_reload(caf::actor_config& config, io::child_host& host, plan what)
    : process{config},
      host_{host},
      plan_{std::move(what)} {}

actors::start_result tree_reload::init() {
  actors::post(caf::actor{this}, begin_reload{});
  return {};
}

caf::message_handler tree_reload::receive() {
  return {[this](begin_reload) {
    try {
      tree_ = read_tree(plan_.file);
    } catch (const std::exception& error) {
      tell("not read again, nothing is changed: " + std::string{error.what()});
      return exit(actors::atoms::normal());
    }
    update(plan_.top, tree_, "");
  }};
}

void tree_reload::update(const caf::actor& supervisor, const tree_supervisor& to,
                         const std::string& path) {
  ask<supervision::children>(
    supervisor, supervision::which_children{},
    [this, supervisor, &to, path](const supervision::children& before) {
      auto options = build_tree(to, host_, plan_.journal, path);
      const supervision::code_change change{
        supervision::supervisor_spec{options.flags, std::move(options.children)}};
      ask<supervisor_reply>(
        supervisor, change,
        [this, supervisor, before = before.list, &to, path](const supervisor_reply& reply) {
          if (reply.is_ok())
            return update_children(supervisor, before, to, path);
          tell((path.empty() ? "" : path + ": ") + to_string(reply.result));
        });
    });
}

void tree_reload::update_children(const caf::actor& supervisor, const child_list& before,
                                  const tree_supervisor& to, const std::string& path) {
  const auto is_wanted = [&](const std::string& id) {
    return std::ranges::find(to.children, id, &supervision::tree_child::id) != to.children.end();
  };
  for (const auto& child : before) { // latest first, as at a stop
    if (is_wanted(id_text(child.id)))
      continue;
    ask<supervisor_reply>(supervisor, supervision::terminate_child{child.id}, [](const auto&) {});
    ask<supervisor_reply>(supervisor, supervision::delete_child{child.id}, [](const auto&) {});
  }
  for (const auto& child : to.children) {
    const auto known =
      std::ranges::find_if(before, [&](const auto& each) { return id_text(each.id) == child.id; });
    const auto child_path = path_of(path, child.id);
    if (known == before.end()) {
      ask<supervisor_reply>(supervisor, supervision::restart_child{child.id},
                            [this, child_path](const supervisor_reply& reply) {
                              if (!reply.is_ok())
                                tell(child_path + " has not started: " + to_string(reply.result));
                            });
      continue;
    }
    const auto was = *known;
    const auto* nested = std::get_if<tree_supervisor>(&child.what);
    if (nested && was.pid && was.type == supervision::child_type::supervisor)
      update(was.pid, *nested, child_path);
  }
}

template <class Answer, class Request, class Then>
void tree_reload::ask(const caf::actor& supervisor, Request request, Then then) {
  ++open_;
  actors::request(this, supervisor, std::move(request))
    .then(
      [this, then](const Answer& answer) {
        then(answer);
        answered();
      },
      [this](const caf::error&) { answered(); }); // it has ended meanwhile
}

void tree_reload::answered() {
  if (--open_ > 0)
    return;
  tell("read again");
  exit(actors::atoms::normal());
}

void tree_reload::tell(std::string text) {
  actors::post(plan_.journal, note{plan_.file + ": " + std::move(text)});
}

void tree_reload::terminate(const actors::term&) {
  plan_.top = nullptr;
  plan_.journal = nullptr;
}

} // namespace penning::apps
