#include "scenario.hpp"

#include "scripted.hpp"

#include <algorithm>
#include <charconv>

namespace penning::conformance {

namespace {

using namespace actors::literals;

reaction reaction_of(const std::string& text) {
  using enum reaction::kind;
  const auto with = [](reaction::kind how) { return reaction{.how = how}; };
  const auto exits = [](std::string_view reason) {
    return reaction{.how = exit_with, .reason = parse_term(reason)};
  };
  if (text == "obey")
    return with(obey);
  if (text == "exit_normal")
    return exits("normal");
  if (text == "exit_shutdown_term")
    return exits("{shutdown,late}");
  if (text == "exit_crash")
    return exits("crash_in_terminate");
  if (text == "ignore")
    return with(ignore);
  if (text == "notrap")
    return with(no_trap);
  if (text == "unlink")
    return with(unlink);
  const auto delayed = parse_term(text);
  if (!delayed.is_tuple("delay", 2))
    throw not_understood{"on_shutdown " + text};
  const auto time = (*delayed.get_if<actors::tuple>())[1].as<std::int64_t>();
  if (!time)
    throw not_understood{"on_shutdown " + text};
  return {.how = delay, .time = std::chrono::milliseconds{*time}};
}

child_script script_of(const json& child, world& where, const spec_context& context) {
  child_script script;
  script.id = where.text(parse_term_or_atom(child.at("id").get<std::string>()));
  script.is_template = context.is_template;
  script.is_elixir = context.is_elixir;
  script.on_shutdown = reaction_of(child.value("on_shutdown", "obey"));
  if (child.contains("named"))
    script.name = to_term(child["named"]);
  if (child.contains("sup")) {
    child_script::subtree tree{flags_term(child["sup"]), {}};
    const auto children = child.value("children", json::array());
    tree.specs = specs_term(
      children, where, {.is_template = is_simple(tree.flags), .sets_plans = context.sets_plans});
    script.supervisor = std::move(tree);
  } else if (child.contains("children")) {
    throw not_understood{"children without sup in " + child.dump()};
  }
  if (child.contains("plan") && context.sets_plans)
    where.set_plan(script.id, plan_of(child["plan"]));
  return script;
}

} // namespace

void check_keys(const json& object, std::initializer_list<std::string_view> known,
                std::string_view what) {
  if (!object.is_object())
    throw not_understood{std::string{what} + " is no object: " + object.dump()};
  for (const auto& [key, value] : object.items())
    if (std::ranges::find(known, key) == known.end())
      throw not_understood{"key \"" + key + "\" of " + std::string{what} + ": " + object.dump()};
}

term to_term(const json& value) {
  if (value.is_string())
    return parse_term_or_atom(value.get<std::string>());
  if (value.is_boolean())
    return value.get<bool>();
  if (value.is_number_integer())
    return value.get<std::int64_t>();
  if (value.is_number_float())
    return value.get<double>();
  std::vector<term> parts;
  if (value.is_array()) {
    for (const auto& each : value)
      parts.push_back(to_term(each));
    return actors::list{std::move(parts)};
  }
  if (!value.is_object())
    throw not_understood{"no term: " + value.dump()};
  for (const auto& [key, each] : value.items()) {
    parts.emplace_back(actors::atom{key});
    parts.push_back(to_term(each));
  }
  return actors::map{std::move(parts)};
}

term flags_term(const json& flags) {
  if (!flags.contains("raw"))
    return to_term(flags);
  check_keys(flags, {"raw"}, "flags");
  return to_term(flags["raw"]);
}

bool is_simple(const term& flags) {
  try {
    return supervision::flags_from_term(flags).strategy
           == supervision::strategy::simple_one_for_one;
  } catch (const supervision::spec_error&) {
    return false;
  }
}

term spec_term(const json& child, world& where, const spec_context& context) {
  check_keys(child,
             {"id", "restart", "shutdown", "significant", "type", "modules", "plan", "on_shutdown",
              "sup", "children", "named", "override", "omit", "raw"},
             "a child");
  if (child.contains("raw")) {
    check_keys(child, {"raw"}, "a raw child");
    return to_term(child["raw"]);
  }
  const auto id = to_term(child.at("id"));
  actors::map spec;
  spec =
    spec.with("id"_a, id)
      .with("start"_a, start_of_script(id, where.add_script(script_of(child, where, context))));
  for (const auto* key : {"restart", "shutdown", "significant", "type", "modules"})
    if (child.contains(key))
      spec = spec.with(actors::atom{key}, to_term(child[key]));
  const auto override = child.value("override", json::object());
  for (const auto& [key, value] : override.items())
    spec = spec.with(actors::atom{key}, to_term(value));
  std::vector<std::pair<term, term>> left;
  const auto omitted = child.value("omit", std::vector<std::string>{});
  for (const auto& [key, value] : spec)
    if (std::ranges::none_of(omitted, [&](const auto& each) { return key.is_atom(each); }))
      left.emplace_back(key, value);
  return actors::map{left};
}

term specs_term(const json& children, world& where, const spec_context& context) {
  if (children.is_string())
    return to_term(children);
  std::vector<term> specs;
  for (const auto& each : children)
    specs.push_back(spec_term(each, where, context));
  return actors::list{std::move(specs)};
}

std::vector<std::string> plan_of(const json& outcomes) {
  static constexpr std::string_view known[] = {"ok",   "ok_extra", "ignore", "error",   "raise",
                                               "exit", "throw",    "bad",    "throw_ok"};
  for (const auto& each : outcomes) {
    const auto text = each.get<std::string>();
    if (std::ranges::find(known, text) == std::end(known)
        && !parse_term_or_atom(text).is_tuple("dead", 2))
      throw not_understood{"plan " + text};
  }
  return outcomes.get<std::vector<std::string>>();
}

} // namespace penning::conformance
