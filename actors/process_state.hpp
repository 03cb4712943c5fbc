#pragma once

#include <penning/actors/term_atom.hpp>

#include <array>
#include <cstdint>
#include <optional>

namespace penning::actors {

/// The life of an OS process, as its actor sees it.
enum class process_state : std::uint8_t {
  starting, ///< Asked for; nobody knows yet whether it can be executed.
  running,
  stopping, ///< Told to end, or to end as soon as it has started.
  killing,  ///< Sent SIGKILL, or about to be as soon as it has started.
  draining, ///< Gone and reaped; its owner has not taken all of its output yet.
  exited,
};

/// The state by its name above.
inline atom to_atom(process_state state) {
  static constexpr std::array names{"starting", "running",  "stopping",
                                    "killing",  "draining", "exited"};
  return atom{names.at(static_cast<std::size_t>(state))};
}

enum class process_event : std::uint8_t { exec_ok, exec_failed, stop, kill, ended, delivered };

struct process_transition {
  process_state from;
  process_event event;
  process_state to;
};

/// Every legal move, one per line. `next` refuses any pair that is not listed.
inline constexpr auto process_transitions = [] {
  using enum process_state;
  using e = process_event;
  return std::to_array<process_transition>({
    {starting, e::exec_ok, running},   {starting, e::exec_failed, exited},
    {starting, e::stop, stopping}, // it is asked to end once there is someone to be asked
    {starting, e::kill, killing},      {running, e::stop, stopping},
    {running, e::kill, killing},       {running, e::ended, draining},
    {stopping, e::exec_ok, stopping},  {stopping, e::exec_failed, exited},
    {stopping, e::stop, stopping},     {stopping, e::kill, killing},
    {stopping, e::ended, draining},    {killing, e::exec_ok, killing},
    {killing, e::exec_failed, exited}, {killing, e::stop, killing},
    {killing, e::kill, killing},       {killing, e::ended, draining},
    {draining, e::stop, draining},     {draining, e::kill, draining},
    {draining, e::delivered, exited},
  });
}();

/// The state after `event`, or none where that event cannot be.
constexpr std::optional<process_state> next(process_state from, process_event event) {
  for (const auto& row : process_transitions)
    if (row.from == from && row.event == event)
      return row.to;
  return std::nullopt;
}

static_assert(!next(process_state::exited, process_event::ended), "an end is told once");

} // namespace penning::actors
