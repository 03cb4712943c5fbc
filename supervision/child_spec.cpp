#include <penning/supervision/child_spec.hpp>

#include <penning/actors/os_process.hpp>
#include <penning/supervision/spec_term.hpp>
#include <penning/supervision/start_order.hpp>

#include <unordered_set>

namespace penning::supervision {

using namespace actors::literals;
using actors::list_of;
using actors::tuple_of;

spec_error::spec_error(term reason)
    : invalid_argument{to_string(reason)},
      reason_{std::move(reason)} {}

term refusal_reason(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const spec_error& error) {
    return error.reason();
  } catch (const io::option_error& error) {
    return actors::bad_option(error);
  } catch (...) {
    return actors::exception_reason(exception);
  }
}

shutdown_policy child_spec::shutdown_or_default() const {
  if (shutdown)
    return *shutdown;
  if (type == child_type::supervisor)
    return infinity{};
  return std::chrono::milliseconds{5000};
}

void validate(const child_spec& spec, std::optional<auto_shutdown> mode) {
  if (!spec.start)
    throw spec_error{"missing_start"_a};
  if (spec.significant && mode == auto_shutdown::never)
    throw spec_error{tuple_of("bad_combination"_a, list_of(tuple_of("auto_shutdown"_a, "never"_a),
                                                           tuple_of("significant"_a, true)))};
  if (spec.significant && spec.restart == restart_type::permanent)
    throw spec_error{tuple_of("bad_combination"_a, list_of(tuple_of("restart"_a, "permanent"_a),
                                                           tuple_of("significant"_a, true)))};
  const auto policy = spec.shutdown_or_default();
  const auto* time = std::get_if<std::chrono::milliseconds>(&policy);
  if (time && (time->count() < 0 || *time > actors::max_delay))
    throw spec_error{tuple_of("invalid_shutdown"_a, time->count())};
  if (spec.backoff)
    validate(*spec.backoff);
  if (const auto limit = spec.start_timeout;
      limit && (limit->count() < 0 || *limit > actors::max_delay))
    throw spec_error{tuple_of("invalid_start_timeout"_a, limit->count())};
}

void validate(const std::vector<child_spec>& specs, std::optional<auto_shutdown> mode) {
  std::unordered_set<term> seen;
  for (const auto& spec : specs) {
    validate(spec, mode);
    if (!seen.insert(spec.id).second)
      throw spec_error{tuple_of("duplicate_child_name"_a, spec.id)};
  }
  check_start_order(specs);
}

void validate(const supervisor_spec& spec) {
  const auto& flags = spec.flags;
  if (flags.period.count() < 1)
    throw spec_error{
      tuple_of("supervisor_data"_a, tuple_of("invalid_period"_a, flags.period.count()))};
  if (flags.strategy == strategy::simple_one_for_one && spec.children.size() != 1) {
    std::vector<term> given;
    for (const auto& child : spec.children)
      given.push_back(to_term(child));
    throw spec_error{tuple_of("bad_start_spec"_a, actors::list{given})};
  }
  try {
    validate(spec.children, flags.auto_shutdown);
  } catch (const spec_error& error) {
    throw spec_error{tuple_of("start_spec"_a, error.reason())};
  }
}

std::string to_string(restart_type type) {
  switch (type) {
  case restart_type::permanent: return "permanent";
  case restart_type::transient: return "transient";
  default: return "temporary";
  }
}

std::string to_string(child_type type) {
  return type == child_type::worker ? "worker" : "supervisor";
}

std::string to_string(strategy how) {
  switch (how) {
  case strategy::one_for_one: return "one_for_one";
  case strategy::one_for_all: return "one_for_all";
  case strategy::rest_for_one: return "rest_for_one";
  default: return "simple_one_for_one";
  }
}

std::string to_string(auto_shutdown mode) {
  switch (mode) {
  case auto_shutdown::never: return "never";
  case auto_shutdown::any_significant: return "any_significant";
  default: return "all_significant";
  }
}

} // namespace penning::supervision
