#include <penning/supervision/spec_term.hpp>
#include <penning/supervision/start_order.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace penning::supervision {

using namespace actors::literals;
using actors::atom;
using actors::list_of;
using actors::map;
using actors::map_of;
using actors::tuple;
using actors::tuple_of;

namespace {

[[noreturn]] void refuse(std::string_view error, const term& value) {
  throw spec_error{tuple_of(atom{error}, value)};
}

template <class Enum, std::size_t N>
using words = std::array<Enum, N>;

constexpr words<restart_type, 3> restart_types{restart_type::permanent, restart_type::transient,
                                               restart_type::temporary};
constexpr words<child_type, 2> child_types{child_type::worker, child_type::supervisor};
constexpr words<strategy, 4> strategies{strategy::one_for_one, strategy::one_for_all,
                                        strategy::rest_for_one, strategy::simple_one_for_one};
constexpr words<auto_shutdown, 3> modes{auto_shutdown::never, auto_shutdown::any_significant,
                                        auto_shutdown::all_significant};

template <class Enum, std::size_t N>
std::optional<Enum> find_word(const words<Enum, N>& all, const term& value) {
  const auto found =
    std::ranges::find_if(all, [&](Enum each) { return value.is_atom(to_string(each)); });
  return found == all.end() ? std::nullopt : std::optional{*found};
}

template <class Enum, std::size_t N>
Enum word(const words<Enum, N>& all, const term& value, std::string_view error) {
  if (const auto found = find_word(all, value))
    return *found;
  refuse(error, value);
}

/// An integer of any size from `min` on; what is too large for `T` becomes its largest value.
template <class T>
T whole(const term& value, T min, std::string_view error) {
  const auto* big = value.get_if<actors::big_integer>();
  if (big && value > term{0})
    return std::numeric_limits<T>::max();
  const auto* number = value.get_if<std::int64_t>();
  if (!number || std::cmp_less(*number, min))
    refuse(error, value);
  return std::in_range<T>(*number) ? static_cast<T>(*number) : std::numeric_limits<T>::max();
}

term get(const map& from, const term& key, term otherwise) {
  const auto* found = from.find(key);
  return found ? *found : std::move(otherwise);
}

/// A map with the names of `keys` and the tuple's elements, from index `first` on.
map name_elements(const tuple& from, std::size_t first, std::initializer_list<atom> keys) {
  std::vector<term> entries;
  for (const auto& key : keys) {
    entries.emplace_back(key);
    entries.push_back(from[first++]);
  }
  return map{std::move(entries)};
}

mfa mfa_from_term(const term& start) {
  const auto* names = start.get_if<tuple>();
  if (!names || names->size() != 3)
    refuse("invalid_mfa", start);
  const auto* module = (*names)[0].get_if<atom>();
  const auto* function = (*names)[1].get_if<atom>();
  const auto* arguments = (*names)[2].get_if<actors::list>();
  if (!module || !function || !arguments)
    refuse("invalid_mfa", start);
  return {*module, *function, *arguments};
}

bool significant_from_term(const term& value, restart_type restart,
                           std::optional<auto_shutdown> mode) {
  const auto bad = [&](atom key, const term& other) {
    refuse("bad_combination",
           list_of(tuple_of(std::move(key), other), tuple_of("significant"_a, true)));
  };
  const bool wanted = value == term{true};
  if (wanted && mode == auto_shutdown::never)
    bad("auto_shutdown"_a, "never"_a);
  if (wanted && restart == restart_type::permanent)
    bad("restart"_a, "permanent"_a);
  if (!wanted && value != term{false})
    refuse("invalid_significant", value);
  return wanted;
}

std::chrono::milliseconds time_from_term(const term& value, std::string_view error) {
  const auto time = value.as<std::int64_t>();
  if (!time || *time < 0 || *time > actors::max_delay.count())
    refuse(error, value);
  return std::chrono::milliseconds{*time};
}

shutdown_policy shutdown_from_term(const term& value) {
  if (value == "brutal_kill"_a)
    return brutal_kill{};
  if (value == actors::atoms::infinity())
    return infinity{};
  return time_from_term(value, "invalid_shutdown");
}

/// Without a resolver no name means anything.
start_function resolved(const start_resolver& resolve, const mfa& names) {
  if (!resolve)
    refuse("invalid_mfa", to_term(names));
  return resolve(names);
}

/// What OTP does not have.
void read_extensions(const map& from, child_spec& spec) {
  if (const auto* how = from.find("backoff"_a))
    spec.backoff = backoff_from_term(*how);
  if (const auto* ids = from.find("start_after"_a))
    spec.start_after = start_after_from_term(*ids);
  if (const auto* limit = from.find("start_timeout"_a);
      limit && *limit != actors::atoms::infinity())
    spec.start_timeout = time_from_term(*limit, "invalid_start_timeout");
}

void check_modules(const term& value) {
  if (value == "dynamic"_a)
    return;
  const auto* modules = value.get_if<actors::list>();
  if (!modules || !modules->is_proper())
    refuse("invalid_modules", value);
  for (const auto& module : *modules)
    if (!module.is<atom>())
      refuse("invalid_module", module);
}

map childspec_map(const term& spec) {
  if (const auto* known = spec.get_if<map>())
    return *known;
  const auto* old = spec.get_if<tuple>();
  if (!old || old->size() != 6)
    refuse("invalid_child_spec", spec);
  return name_elements(*old, 0,
                       {"id"_a, "start"_a, "restart"_a, "shutdown"_a, "type"_a, "modules"_a});
}

} // namespace

sup_flags flags_from_term(const term& value) {
  map flags;
  if (const auto* known = value.get_if<map>())
    flags = *known;
  else if (const auto* old = value.get_if<tuple>(); old && old->size() == 3)
    flags = name_elements(*old, 0, {"strategy"_a, "intensity"_a, "period"_a});
  else
    refuse("invalid_type", value);
  sup_flags result;
  result.strategy = word(strategies, get(flags, "strategy"_a, "one_for_one"_a), "invalid_strategy");
  result.intensity = whole<std::uint32_t>(get(flags, "intensity"_a, 1), 0, "invalid_intensity");
  result.period =
    std::chrono::seconds{whole<std::int32_t>(get(flags, "period"_a, 5), 1, "invalid_period")};
  result.auto_shutdown =
    word(modes, get(flags, "auto_shutdown"_a, "never"_a), "invalid_auto_shutdown");
  return result;
}

child_spec child_spec_from_term(const term& value, const start_resolver& resolve,
                                std::optional<auto_shutdown> mode) {
  const auto given = childspec_map(value);
  child_spec spec;
  const auto* id = given.find("id"_a);
  if (!id)
    throw spec_error{"missing_id"_a};
  spec.id = *id;
  const auto* start = given.find("start"_a);
  if (!start)
    throw spec_error{"missing_start"_a};
  spec.mfargs = mfa_from_term(*start);
  spec.restart =
    word(restart_types, get(given, "restart"_a, "permanent"_a), "invalid_restart_type");
  spec.significant = significant_from_term(get(given, "significant"_a, false), spec.restart, mode);
  spec.type = word(child_types, get(given, "type"_a, "worker"_a), "invalid_child_type");
  if (const auto* shutdown = given.find("shutdown"_a))
    spec.shutdown = shutdown_from_term(*shutdown);
  if (const auto* modules = given.find("modules"_a)) {
    check_modules(*modules);
    spec.modules = *modules;
  }
  read_extensions(given, spec);
  spec.start = resolved(resolve, spec.mfargs);
  return spec;
}

child_spec elixir_child_spec_from_term(const term& value, const start_resolver& resolve) {
  const auto* given_map = value.get_if<map>();
  const auto* id = given_map ? given_map->find("id"_a) : nullptr;
  const auto* start = given_map ? given_map->find("start"_a) : nullptr;
  const auto* triple = start ? start->get_if<tuple>() : nullptr;
  if (given_map && (!id || !triple || triple->size() != 3))
    refuse("invalid_child_spec", value);
  const auto given = childspec_map(value);
  child_spec spec;
  spec.id = get(given, "id"_a, actors::atoms::undefined());
  spec.mfargs = mfa_from_term(get(given, "start"_a, actors::atoms::undefined()));
  spec.restart =
    word(restart_types, get(given, "restart"_a, "permanent"_a), "invalid_restart_type");
  if (const auto* shutdown = given.find("shutdown"_a)) {
    if (*shutdown == term{0})
      refuse("invalid_shutdown", *shutdown);
    spec.shutdown = shutdown_from_term(*shutdown);
  }
  spec.type = word(child_types, get(given, "type"_a, "worker"_a), "invalid_child_type");
  if (const auto* modules = given.find("modules"_a)) {
    try {
      check_modules(*modules);
    } catch (const spec_error&) {
      refuse("invalid_modules", *modules);
    }
    spec.modules = *modules;
  }
  if (const auto* significant = given.find("significant"_a);
      significant && *significant != term{false})
    refuse("invalid_significant", *significant);
  read_extensions(given, spec);
  spec.start = resolved(resolve, spec.mfargs);
  return spec;
}

std::vector<child_spec> child_specs_from_term(const term& value, const start_resolver& resolve,
                                              std::optional<auto_shutdown> mode) {
  const auto* specs = value.get_if<actors::list>();
  if (!specs || !specs->is_proper())
    refuse("badarg", value);
  std::vector<child_spec> result;
  std::unordered_set<term> seen;
  for (const auto& each : *specs) {
    result.push_back(child_spec_from_term(each, resolve, mode));
    if (!seen.insert(result.back().id).second)
      refuse("duplicate_child_name", result.back().id);
  }
  check_start_order(result);
  return result;
}

supervisor_spec supervisor_spec_from_term(const term& flags, const term& specs,
                                          const start_resolver& resolve) {
  supervisor_spec result;
  try {
    result.flags = flags_from_term(flags);
  } catch (const spec_error& error) {
    refuse("supervisor_data", error.reason());
  }
  const auto* given = specs.get_if<actors::list>();
  if (result.flags.strategy == strategy::simple_one_for_one && (!given || given->size() != 1))
    refuse("bad_start_spec", specs);
  if (!given)
    refuse("bad_start_spec", specs);
  try {
    result.children = child_specs_from_term(specs, resolve, result.flags.auto_shutdown);
  } catch (const spec_error& error) {
    refuse("start_spec", error.reason());
  }
  return result;
}

namespace {

term check(const term& specs, std::optional<auto_shutdown> mode) {
  try {
    child_specs_from_term(
      specs, [](const mfa&) { return start_function{}; }, mode);
    return actors::atoms::ok();
  } catch (const spec_error& error) {
    return tuple_of(actors::atoms::error(), error.reason());
  }
}

} // namespace

term check_childspecs(const term& specs) {
  return check(specs, std::nullopt);
}

term check_childspecs(const term& specs, const term& mode) {
  if (const auto known = find_word(modes, mode))
    return check(specs, *known);
  return tuple_of(actors::atoms::error(), tuple_of("badarg"_a, mode));
}

term to_term(const mfa& names) {
  return tuple_of(names.module, names.function, names.arguments);
}

term to_term(const shutdown_policy& policy) {
  if (const auto* time = std::get_if<std::chrono::milliseconds>(&policy))
    return time->count();
  if (std::holds_alternative<brutal_kill>(policy))
    return "brutal_kill"_a;
  return actors::atoms::infinity();
}

term modules_of(const child_spec& spec) {
  if (spec.modules == actors::atoms::undefined())
    return list_of(spec.mfargs.module);
  return spec.modules;
}

term to_term(const child_spec& spec) {
  std::vector<std::pair<term, term>> entries{{"id"_a, spec.id},
                                             {"start"_a, to_term(spec.mfargs)},
                                             {"restart"_a, atom{to_string(spec.restart)}},
                                             {"significant"_a, spec.significant},
                                             {"shutdown"_a, to_term(spec.shutdown_or_default())},
                                             {"type"_a, atom{to_string(spec.type)}},
                                             {"modules"_a, modules_of(spec)}};
  if (spec.backoff)
    entries.emplace_back("backoff"_a, to_term(*spec.backoff));
  if (!spec.start_after.empty())
    entries.emplace_back("start_after"_a, actors::list{spec.start_after});
  if (spec.start_timeout)
    entries.emplace_back("start_timeout"_a, spec.start_timeout->count());
  return map{entries};
}

} // namespace penning::supervision
