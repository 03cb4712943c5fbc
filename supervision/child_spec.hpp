#pragma once

#include <penning/actors/process.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

namespace penning::supervision {

using actors::term;

/// Which ends of a child make its supervisor start it again.
enum class restart_type : std::uint8_t {
  permanent, ///< Every end.
  transient, ///< An abnormal one: neither `normal` nor `shutdown` nor `{shutdown, _}`.
  temporary, ///< None; its specification goes with it.
};

enum class child_type : std::uint8_t { worker, supervisor };

/// The exit signal `kill`, at once.
struct brutal_kill {};
/// The exit signal `shutdown`, and no limit to how long the child takes.
struct infinity {};
/// How a child is asked to end; a time is how long it gets before it is killed.
using shutdown_policy = std::variant<std::chrono::milliseconds, brutal_kill, infinity>;

/// Starts a child of the supervisor it is given, linked to it, which answers with an `init_ack`:
/// what `process::start_link` does. What it throws is a failed start.
using start_function = std::function<caf::actor(actors::process& supervisor)>;

/// A start function that makes a `P` from copies of `args`.
template <std::derived_from<actors::process> P, class... Args>
start_function start_of(Args... args) {
  return [args = std::tuple{std::move(args)...}](actors::process& supervisor) {
    return std::apply([&](const auto&... each) { return supervisor.start_link<P>(each...); }, args);
  };
}

/// How one child is started, restarted and stopped. Source: `supervisor:child_spec()`.
struct child_spec {
  term id; ///< Unique within its supervisor.
  start_function start;
  restart_type restart = restart_type::permanent;
  shutdown_policy shutdown = std::chrono::milliseconds{5000}; ///< For a supervisor: `infinity`.
  child_type type = child_type::worker;
};

/// Which children follow when one is restarted.
enum class strategy : std::uint8_t { one_for_one };

/// Source: `supervisor:sup_flags()`; the defaults are OTP's.
struct sup_flags {
  supervision::strategy strategy = supervision::strategy::one_for_one;
  std::uint32_t intensity = 1;
  std::chrono::seconds period{5}; ///< At least 1.
};

/// Throws `std::invalid_argument` for a spec without a start function, an id that occurs twice, a
/// negative shutdown time or a period below a second, naming it.
void validate(const sup_flags& flags, const std::vector<child_spec>& specs);

std::string to_string(restart_type type);
std::string to_string(child_type type);

} // namespace penning::supervision
