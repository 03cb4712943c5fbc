#pragma once

#include <penning/actors/process.hpp>
#include <penning/supervision/backoff.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

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
struct brutal_kill {
  friend bool operator==(brutal_kill, brutal_kill) = default;
};
/// The exit signal `shutdown`, and no limit to how long the child takes.
struct infinity {
  friend bool operator==(infinity, infinity) = default;
};
/// How a child is asked to end; a time is how long it gets before it is killed.
using shutdown_policy = std::variant<std::chrono::milliseconds, brutal_kill, infinity>;

/// Starts a child of the supervisor it is given, linked to it: what `process::start_link` does.
/// What it throws is a failed start, as is a `pid` that is null although the result is `ok`.
using start_function =
  std::function<actors::started(actors::process& supervisor, const actors::list& arguments)>;

/// A start function that makes a `P` from copies of `args`.
template <std::derived_from<actors::process> P, class... Args>
start_function start_of(Args... args) {
  return [args = std::tuple{std::move(args)...}](actors::process& supervisor, const actors::list&) {
    return std::apply([&](const auto&... each) { return supervisor.start_link<P>(each...); }, args);
  };
}

/// The names under which reports and terms know a start function: Erlang's `{M, F, A}`.
struct mfa {
  actors::atom module{"penning"};
  actors::atom function{"start_link"};
  actors::list arguments; ///< What the start function gets.
};

/// How one child is started, restarted and stopped. Source: `supervisor:child_spec()`.
struct child_spec {
  term id; ///< Unique within its supervisor.
  start_function start;
  restart_type restart = restart_type::permanent;
  std::optional<shutdown_policy> shutdown = {}; ///< 5000 ms for a worker, else `infinity`.
  child_type type = child_type::worker;
  bool significant = false; ///< Its own end may end the supervisor; see `auto_shutdown`.
  mfa mfargs = {};
  /// A list of atoms, or the atom `dynamic`; `undefined` stands for the list of `mfargs.module`.
  term modules = actors::atoms::undefined();

  // What OTP does not have:
  /// Restarts wait; see docs/semantics.md.
  std::optional<supervision::backoff> backoff = {};
  /// Siblings that come before it, at the start and when both are to be restarted.
  std::vector<term> start_after = {};
  /// A start that has not returned by then has failed with `timeout`, and the child is killed.
  std::optional<std::chrono::milliseconds> start_timeout = {};

  shutdown_policy shutdown_or_default() const;
};

/// Which children follow when one is restarted.
enum class strategy : std::uint8_t {
  one_for_one,        ///< None.
  one_for_all,        ///< All.
  rest_for_one,       ///< Those after it.
  simple_one_for_one, ///< None; all children are made from one specification.
};

/// Whether the end of significant children ends their supervisor.
enum class auto_shutdown : std::uint8_t { never, any_significant, all_significant };

/// Source: `supervisor:sup_flags()`; the defaults are OTP's.
struct sup_flags {
  supervision::strategy strategy = supervision::strategy::one_for_one;
  std::uint32_t intensity = 1;
  std::chrono::seconds period{5}; ///< At least 1.
  supervision::auto_shutdown auto_shutdown = supervision::auto_shutdown::never;
};

/// A supervisor's flags and children, as its callback `init` returns them in OTP.
struct supervisor_spec {
  sup_flags flags;
  std::vector<child_spec> children;
};

/// What is wrong with flags or a specification, as the term that OTP gives for it:
/// `{invalid_shutdown, -1}`, `missing_start`, `{duplicate_child_name, Id}`.
class spec_error : public std::invalid_argument {
 public:
  explicit spec_error(term reason);

  const term& reason() const noexcept { return reason_; }

 private:
  term reason_;
};

/// What there is to say of an exception that refuses a specification: the reason of a `spec_error`,
/// `{bad_option, Name, Value, Problem}` of an `io::option_error`, else as `exception_reason`.
term refusal_reason(const std::exception_ptr& exception);

/// Throws `spec_error` with OTP's term, `{supervisor_data, E}`, `{start_spec, E}` or
/// `{bad_start_spec, Ids}` (where OTP has the specifications themselves), for what `start_link`
/// refuses.
void validate(const supervisor_spec& spec);

/// Throws `spec_error` for what `start_child` refuses; without `mode`, whether it goes with the
/// supervisor's `auto_shutdown` is not looked at.
void validate(const child_spec& spec, std::optional<auto_shutdown> mode);

/// Throws `spec_error`; several at once, so that an id which occurs twice is found.
void validate(const std::vector<child_spec>& specs, std::optional<auto_shutdown> mode);

std::string to_string(restart_type type);
std::string to_string(child_type type);
std::string to_string(strategy how);
std::string to_string(auto_shutdown mode);

} // namespace penning::supervision
