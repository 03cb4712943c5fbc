#include "session.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace penning::conformance {

namespace {

using namespace actors::literals;
using actors::tuple_of;
namespace atoms = actors::atoms;

class bystander final : public actors::process {
 public:
  using process::process;

 protected:
  caf::message_handler receive() override {
    return {[](const term&) {}};
  }
};

bool is_restarting(const term& child) {
  return (*child.get_if<actors::tuple>())[1].is_atom("restarting");
}

} // namespace

session::session(stage& where)
    : stage_{where},
      director_{where.system().spawn<director>(std::ref(world_))},
      stranger_{where.system().spawn<bystander>()} {
  world_.host = where.child_host();
}

session::~session() {
  try {
    end_all();
  } catch (const stuck& error) { // then nothing can be played here any more
    std::fprintf(stderr, "cannot end what is left: %s\n", error.what());
    std::abort();
  }
}

void session::direct(director::step act) {
  auto done = std::make_shared<bool>(false);
  actors::post(director_, director::step{[this, act = std::move(act), done](director& self) {
                 act(self);
                 world_.update([&](auto&) { *done = true; });
               }});
  stage_.wait(world_, [done](const auto&) { return *done; });
}

/// One that is gone when it is asked does not answer at all.
term session::failed_call(const caf::error& error) {
  const bool has_reason = actors::payload<term>(error) != nullptr;
  return tuple_of("EXIT"_a, has_reason ? actors::reason_from(error) : term{atoms::noproc()});
}

outcome session::list_children(const caf::actor& whom) {
  return ask<supervision::children>(whom, supervision::which_children{},
                                    [](const auto& all) { return to_term(all); });
}

outcome session::count_children(const caf::actor& whom, bool as_map) {
  return ask<supervision::child_counts>(
    whom, supervision::count_children{},
    [as_map](const auto& count) { return to_term(count, as_map); });
}

term session::await(const outcome& of) {
  stage_.wait(world_, [of](const auto&) { return of.single->value.has_value(); });
  return *of.single->value;
}

void session::await_all(const outcome& of) {
  if (of.single)
    await(of);
  for (const auto& each : of.batch)
    await_all(each);
}

void session::settle(const held_ids& held) {
  for (;;) {
    const auto before = activity();
    await_ends();
    if (ask_all(held) && before == activity())
      break;
  }
  direct([](director&) {}); // behind the last report
}

std::uint64_t session::activity() const {
  return world_.read([](const auto& s) { return s.activity; });
}

bool session::has_unwatched(const world::state& s) const {
  return std::ranges::any_of(s.instances, [this](const auto& entry) {
    return !entry.second.is_live() && !watched_.contains(entry.first);
  });
}

void session::await_ends() {
  do {
    std::vector<caf::actor> ended;
    world_.read([&](const auto& s) {
      for (const auto& [pid, each] : s.instances)
        if (!each.is_live() && watched_.insert(pid).second)
          ended.push_back(each.pid);
    });
    direct([ended](director& self) {
      for (const auto& each : ended)
        self.monitor(each);
    });
    stage_.wait(world_, [this](const auto& s) { return s.is_settled() || has_unwatched(s); });
  } while (world_.read([this](const auto& s) { return has_unwatched(s); }));
}

/// Whether all were there to answer and none waits for a retry.
bool session::ask_all(const held_ids& held) {
  std::vector<outcome> answers;
  for (const auto& each : live_ones())
    if (!held.contains(each.pid.id()))
      answers.push_back(list_children(each.pid));
  bool calm = true;
  for (const auto& each : answers) {
    const auto answer = await(each);
    const auto* list = answer.get_if<actors::list>();
    calm &= list && std::ranges::none_of(*list, is_restarting);
  }
  return calm;
}

std::vector<instance> session::live_ones() const {
  return world_.read([](const auto& s) {
    std::vector<instance> result;
    for (const auto& [pid, each] : s.instances)
      if (each.is_live())
        result.push_back(each);
    return result;
  });
}

std::optional<instance> session::latest(const std::string& id) const {
  return world_.read([&](const auto& s) {
    const auto* found = s.latest(id);
    return found ? std::optional{*found} : std::nullopt;
  });
}

void session::end_all() {
  for (auto left = live_ones(); !left.empty(); left = live_ones()) {
    for (const auto& each : left)
      actors::send_exit(each.pid, {}, atoms::kill());
    stage_.wait(world_, [&](const auto& s) {
      return std::ranges::none_of(
        left, [&](const auto& each) { return s.instances.at(each.pid.id()).is_live(); });
    });
  }
  await_ends();
  for (const auto& each : {stranger_, director_}) {
    actors::send_exit(each, {}, atoms::kill());
    auto over = std::make_shared<bool>(false);
    actors::process::at_end(each, [this, over] { world_.update([&](auto&) { *over = true; }); });
    stage_.wait(world_, [over](const auto&) { return *over; });
  }
}

} // namespace penning::conformance
