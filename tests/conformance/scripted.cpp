#include "scripted.hpp"

#include "os_children.hpp"

#include <penning/actors/timer.hpp>

#include <stdexcept>

namespace penning::conformance {

namespace {

using namespace actors::literals;
using actors::start_result;
using actors::started;
using actors::tuple_of;
using supervision::spec_error;
namespace atoms = actors::atoms;

class scripted final : public actors::process {
 public:
  scripted(caf::actor_config& config, world& where, role who, reaction on_shutdown,
           std::optional<term> dead_with)
      : process{config},
        world_{where},
        role_{std::move(who)},
        on_shutdown_{std::move(on_shutdown)},
        dead_with_{std::move(dead_with)} {
    if (role_.name)
      set_name(*role_.name);
    trap_exit(on_shutdown_.how != reaction::kind::no_trap);
  }

 protected:
  start_result init() override {
    world_.enter(
      {.id = role_.id, .number = role_.number, .pid = caf::actor{this}, .parent = parent()});
    world_.start_succeeded(id());
    if (on_shutdown_.how == reaction::kind::unlink)
      unlink(caf::actor_cast<caf::actor>(parent()));
    if (dead_with_)
      exit(*dead_with_);
    return {};
  }

  caf::message_handler receive() override {
    return {
      [this](end_yourself& request) { exit(std::move(request.reason)); },
      [](supervision::which_children) { return supervision::children{}; }, // says that it is there
    };
  }

  void handle_exit(const caf::actor_addr&, const term& reason) override {
    switch (on_shutdown_.how) {
    case reaction::kind::ignore: return;
    case reaction::kind::exit_with: return exit(on_shutdown_.reason);
    case reaction::kind::delay:
      world_.set_delays(id());
      actors::run_after(this, on_shutdown_.time, [this, reason] { exit(reason); });
      return;
    default: return exit(reason);
    }
  }

  void terminate(const term& reason) override { world_.leave(id(), reason); }

 private:
  world& world_;
  role role_;
  reaction on_shutdown_;
  std::optional<term> dead_with_;
};

/// One call of a start function.
class start_call {
 public:
  start_call(world& where, const child_script& script, const actors::list& own_arguments,
             const actors::list& arguments)
      : world_{where},
        script_{script},
        id_{script.id} {
    if (script.is_template && arguments.size() > own_arguments.size())
      id_ = world_.text(arguments[own_arguments.size()]);
    check(own_arguments, arguments);
  }

  started run(actors::process& parent) {
    const auto call = world_.next_call(id_);
    number_ = call.number;
    if (call.outcome == "ok" || (call.outcome == "throw_ok" && !script_.is_elixir))
      return start(parent, {});
    if (call.outcome == "ok_extra") {
      auto result = start(parent, {});
      if (result.result.how == start_result::kind::ok)
        result.result.value = "info"_a;
      return result;
    }
    if (call.outcome == "throw_ok") // Elixir takes what is thrown for a failure
      return {nullptr,
              {start_result::kind::stop,
               thrown(tuple_of(atoms::ok(), actors::to_pid(start(parent, {}).pid.address())))}};
    if (call.outcome.starts_with("{dead,"))
      return start(parent, (*parse_term(call.outcome).get_if<actors::tuple>())[1]);
    if (call.outcome == "error" && world_.host && !script_.supervisor)
      return noted(parent, start_program(parent, world_, {id_, number_}, {}, false));
    return fail(call.outcome);
  }

 private:
  /// A dynamic supervisor's come before its own, or behind them.
  void check(const actors::list& own, const actors::list& given) const {
    std::vector<term> wanted;
    if (script_.is_elixir)
      wanted.assign(world_.extra_arguments.begin(), world_.extra_arguments.end());
    wanted.insert(wanted.end(), own.begin(), own.end());
    if (script_.is_template && given.size() > own.size())
      wanted.insert(wanted.end(), given.begin() + own.size(), given.end());
    if (term{actors::list{wanted}} != term{given})
      world_.complain("the start function of " + id_ + " got " + actors::to_string(given));
  }

  started start(actors::process& parent, const std::optional<term>& dead_with) {
    role who{id_, number_, script_.name};
    if (!script_.supervisor && world_.host)
      return noted(parent,
                   start_program(parent, world_, std::move(who), script_.on_shutdown, true));
    if (!script_.supervisor)
      return noted(parent, parent.start_link<scripted>(std::ref(world_), std::move(who),
                                                       script_.on_shutdown, dead_with));
    if (dead_with)
      world_.complain("cannot do: a supervisor, " + id_ + ", that is dead on arrival");
    return noted(parent, start_supervisor(parent, world_, std::move(who), *script_.supervisor));
  }

  started noted(const actors::process& parent, started child) {
    using enum start_result::kind;
    if (child.result.how == stop)
      world_.start_failed("start_error", id_, number_);
    else if (child.result.how == ok && world_.is_starting(child.pid.id(), parent.address()))
      world_.start_succeeded(child.pid.id());
    return child;
  }

  static term thrown(term what) { return tuple_of("nocatch"_a, std::move(what)); }

  started fail(const std::string& outcome) {
    if (outcome == "ignore") {
      world_.start_failed("start_ignore", id_, number_);
      return {nullptr, {start_result::kind::ignore}};
    }
    world_.start_failed("start_error", id_, number_);
    const auto with = [](term reason) {
      return started{nullptr, {start_result::kind::stop, std::move(reason)}};
    };
    if (outcome == "raise" || outcome == "exit")
      throw term{"boom"_a};
    if (outcome == "error")
      return with("boom"_a);
    if (outcome == "bad")
      return with("garbage"_a);
    if (outcome == "throw")
      return with(script_.is_elixir ? thrown("oops"_a) : "oops"_a);
    world_.complain("unknown outcome of a start: " + outcome);
    return with("unknown"_a);
  }

  world& world_;
  const child_script& script_;
  std::string id_;
  int number_ = 0;
};

std::shared_ptr<const child_script> script_of(world& where, const supervision::mfa& names) {
  if (names.arguments.size() >= 2)
    if (const auto number = names.arguments[1].as<std::size_t>())
      return where.script(*number);
  auto plain = std::make_shared<child_script>(); // from a specification that was given as a term
  plain->id = names.arguments.empty() ? "none" : where.text(names.arguments[0]);
  return plain;
}

supervision::supervisor_options options_of(world& where, const role& who,
                                           const child_script::subtree& what) {
  auto resolve = resolver_of(where);
  auto spec = supervision::supervisor_spec_from_term(what.flags, what.specs, resolve);
  return {spec.flags, std::move(spec.children), who.id, std::move(resolve)};
}

started refused(term reason) {
  return {nullptr, {start_result::kind::stop, std::move(reason)}};
}

} // namespace

supervision::start_resolver resolver_of(world& where) {
  return [&where](const supervision::mfa& names) -> supervision::start_function {
    return [&where, names, script = script_of(where, names)](actors::process& parent,
                                                             const actors::list& arguments) {
      if (!script->is_template || arguments.size() < names.arguments.size())
        return start_call{where, *script, names.arguments, arguments}.run(parent);
      // It keeps the arguments that it was started with when the template becomes another.
      const auto own = arguments.elements().first(names.arguments.size());
      const supervision::mfa first{names.module, names.function, actors::list_from(own)};
      return start_call{where, *script_of(where, first), first.arguments, arguments}.run(parent);
    };
  };
}

term start_of_script(const term& id, std::size_t script) {
  return tuple_of("sup_golden"_a, "start"_a, actors::list_of(id, script));
}

started start_supervisor(actors::process& parent, world& where, role who,
                         const child_script::subtree& what) {
  using namespace supervision;
  try {
    auto options = options_of(where, who, what);
    if (options.flags.strategy == strategy::simple_one_for_one)
      return parent.start_link<recorded<dynamic_supervisor>>(std::ref(where), std::move(who),
                                                             std::move(options));
    return parent.start_link<recorded<supervisor>>(std::ref(where), std::move(who),
                                                   std::move(options));
  } catch (const spec_error& error) {
    return refused(error.reason());
  }
}

namespace {

/// Throws `spec_error` as `DynamicSupervisor.init/1` refuses.
supervision::dynamic_options elixir_options(const actors::map& given) {
  const auto refuse = [](actors::atom error, const term& value) {
    throw spec_error{tuple_of(std::move(error), value)};
  };
  supervision::dynamic_options options;
  std::vector<std::pair<term, term>> flags{{"intensity"_a, 3}};
  for (const auto& [key, value] : given)
    if (key != "max_children"_a && key != "extra_arguments"_a)
      flags.emplace_back(key, value);
  options.flags = supervision::flags_from_term(actors::map{flags});
  const auto* most = given.find("max_children"_a);
  if (most && *most != atoms::infinity()) {
    options.max_children = most->as<std::uint64_t>();
    if (!options.max_children)
      refuse("invalid_max_children"_a, *most);
  }
  if (const auto* extra = given.find("extra_arguments"_a)) {
    if (!extra->is<actors::list>())
      refuse("invalid_extra_arguments"_a, *extra);
    options.extra_arguments = *extra->get_if<actors::list>();
  }
  return options;
}

} // namespace

started start_elixir_supervisor(actors::process& parent, world& where, role who,
                                const term& flags) {
  const auto* given = flags.get_if<actors::map>();
  try {
    if (!given)
      throw spec_error{tuple_of("invalid_type"_a, flags)};
    auto options = elixir_options(*given);
    where.extra_arguments = options.extra_arguments;
    options.name = who.id;
    options.resolve = resolver_of(where);
    return parent.start_link<recorded<supervision::dynamic_supervisor>>(
      std::ref(where), std::move(who), std::move(options));
  } catch (const spec_error& error) {
    return refused(tuple_of("supervisor_data"_a, error.reason()));
  }
}

} // namespace penning::conformance
