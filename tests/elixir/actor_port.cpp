// A port program whose actors do what an Elixir test tells them, and tell what they hear.

#include <penning/actors/gen_server.hpp>
#include <penning/bridge/port_main.hpp>
#include <penning/supervision/dynamic_supervisor.hpp>
#include <penning/supervision/supervisor.hpp>

namespace penning::test {

using namespace actors::literals;
using actors::atom;
using actors::from;
using actors::pid;
using actors::term;
using actors::tuple_of;

/// A message with a handle: whoever gets it knows whom to answer.
struct greet {
  static constexpr auto tag = "greet";
  caf::actor from;
  std::string text;
  auto fields() { return std::tuple{actors::field{"from", from}, actors::field{"text", text}}; }
};

struct sum {
  static constexpr auto tag = "sum";
  std::int64_t a = 0, b = 0;
  auto fields() { return std::tuple{actors::field{"a", a}, actors::field{"b", b}}; }
};
using actors::inspect;

class probe {
 public:
  using server = actors::gen_server<probe>;
  using messages = std::tuple<greet, sum>;

  probe(server& self, std::shared_ptr<bridge::beam> home, const std::string& name = {})
      : self_{self},
        home_{std::move(home)} {
    if (!name.empty())
      self_.set_name(atom{name});
  }

  /// `Tag` or `{Tag, Arg...}`.
  void handle_call(const term& request, from<term> caller) {
    const auto* parts = request.get_if<actors::tuple>();
    const auto tag = parts ? *(*parts)[0].get_if<atom>() : *request.get_if<atom>();
    const auto arg = [&](std::size_t n) { return parts && n < parts->size() ? (*parts)[n] : term{}; };
    const auto* to = arg(1).get_if<pid>();
    if (tag == "echo")
      caller.reply(arg(1));
    else if (tag == "self")
      caller.reply(home_->name_of(caf::actor{&self_}));
    else if (tag == "hang")
      held_.push_back(std::move(caller));
    else if (tag == "stop")
      throw actors::exit_with{arg(1)};
    else if (tag == "call" && to)
      call_out(home_->actor_of(*to), arg(2), *arg(3).as<int>(), std::move(caller));
    else if (tag == "named")
      actors::post(home_->named(arg(1).get_if<atom>()->text()), arg(2)), caller.reply("ok"_a);
    else if (to)
      caller.reply(about(tag, home_->actor_of(*to), arg(2)));
    else
      caller.fail(tuple_of("unknown"_a, request));
  }

  std::int64_t handle_call(sum request) { return request.a + request.b; }

  void handle_cast(const term& message) { tell(tuple_of("cast"_a, message)); }
  void handle_info(const term& message) { tell(tuple_of("info"_a, message)); }
  void handle_info(greet message) {
    actors::post(message.from, greet{caf::actor{&self_}, "you said " + message.text});
  }
  void handle_info(const actors::down& message) { tell(tuple_of("down"_a, message.reason)); }
  void handle_info(const actors::exit_signal& message) {
    const auto from = caf::actor_cast<caf::actor>(message.from);
    tell(tuple_of("EXIT"_a, from ? home_->name_of(from) : term{"gone"_a}, message.reason));
  }

 private:
  void tell(term message) {
    if (listener_)
      actors::post(listener_, std::move(message));
  }

  void call_out(const caf::actor& to, const term& message, int ms, from<term> caller) {
    auto answer = std::make_shared<from<term>>(std::move(caller));
    actors::server_ref<actors::process>{to}
      .call(&self_, message, std::chrono::milliseconds{ms})
      .then([answer](const term& reply) { answer->reply(tuple_of("ok"_a, reply)); },
            [answer](const term& reason) { answer->reply(tuple_of("error"_a, reason)); });
  }

  term about(const atom& what, const caf::actor& who, const term& more) {
    if (what == "tell")
      listener_ = who;
    else if (what == "monitor")
      monitor_ = self_.monitor(who);
    else if (what == "demonitor")
      self_.demonitor(monitor_);
    else if (what == "link")
      self_.link(who);
    else if (what == "unlink")
      self_.unlink(who);
    else if (what == "trap")
      self_.trap_exit(true);
    else if (what == "send")
      actors::post(who, more);
    else if (what == "cast")
      actors::post(who, actors::cast{more});
    else if (what == "exit")
      self_.exit(who, more);
    else
      return "unknown"_a;
    return "ok"_a;
  }

  server& self_;
  std::shared_ptr<bridge::beam> home_;
  caf::actor listener_;
  actors::monitor_ref monitor_ = 0;
  std::vector<from<term>> held_;
};

} // namespace penning::test

int main() {
  using namespace penning;
  using namespace penning::test;
  return bridge::port_main([](actors::runtime& runtime, bridge::port_program& program) {
    program.name = "actor_port";
    program.vocabulary.add<greet>().add<sum>();
    const auto start = supervision::start_of<actors::gen_server<probe>>(program.beam);
    program.published["probe"] = runtime.system().spawn<actors::gen_server<probe>>(program.beam);
    program.startable["probe"] = start;

    supervision::supervisor_options tree{.flags = {.intensity = 100}};
    for (const auto& id : {"a"_a, "b"_a})
      tree.children.push_back({.id = id, .start = start});
    program.published["tree"] = runtime.system().spawn<supervision::supervisor>(tree);
    supervision::supervisor_options names;
    names.children.push_back(
      {.id = "n"_a,
       .start = supervision::start_of<actors::gen_server<probe>>(program.beam,
                                                                 std::string{"registered"})});
    program.published["names"] = runtime.system().spawn<supervision::supervisor>(names);
    program.published_names.insert("registered");
    supervision::supervisor_options pool{
      .flags = {.strategy = supervision::strategy::simple_one_for_one}};
    pool.children.push_back({.id = "pooled"_a, .start = start});
    program.published["pool"] = runtime.system().spawn<supervision::dynamic_supervisor>(pool);
    program.startable["tree"] = supervision::start_of<supervision::supervisor>(tree);
  });
}
