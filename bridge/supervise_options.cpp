#include <penning/bridge/supervise_options.hpp>

#include <penning/bridge/open_options.hpp>
#include <penning/supervision/spec_term.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace penning::bridge {

namespace {

using namespace actors::literals;
using actors::list;

/// Of `[Program, Args, Options]`.
actors::os_process_options options_of(const list& arguments) {
  return to_options(arguments[0], arguments[1], arguments[2]);
}

/// Whether a specification can be started. How is settled later, when its id is known.
supervision::start_function resolve(const supervision::mfa& names) {
  const auto& arguments = names.arguments;
  if (names.module != "penning" || names.function != "os_process" || !arguments.is_proper()
      || arguments.size() != 3)
    throw supervision::spec_error{actors::tuple_of("invalid_mfa"_a, supervision::to_term(names))};
  validate(options_of(arguments));
  return {};
}

/// Starts an OS process as `start_link` does, and announces it to its owner first.
supervision::start_function announced_start(const child_maker& maker, const term& id) {
  return [maker, id, starts = std::make_shared<std::uint64_t>(0)](actors::process& supervisor,
                                                                  const list& arguments) {
    auto options = options_of(arguments);
    options.restarts = (*starts)++;
    auto child = supervisor.spawn<actors::os_process, caf::lazy_init>(
      std::ref(maker.host), maker.owner, std::move(options));
    actors::post(maker.owner, child_announced{supervisor.id(), id, child});
    return actors::process::begin(supervisor, std::move(child), true);
  };
}

} // namespace

supervision::supervisor_spec to_supervisor_spec(const term& flags, const term& specs,
                                                const child_maker& maker) {
  auto result = supervision::supervisor_spec_from_term(flags, specs, resolve);
  for (auto& child : result.children)
    child.start = announced_start(maker, child.id);
  return result;
}

supervision::child_spec to_child_spec(const term& spec, const child_maker& maker) {
  // Whether it goes with `auto_shutdown` is for the supervisor to say, which has the flags.
  auto result = supervision::child_spec_from_term(spec, resolve, std::nullopt);
  result.start = announced_start(maker, result.id);
  return result;
}

} // namespace penning::bridge
