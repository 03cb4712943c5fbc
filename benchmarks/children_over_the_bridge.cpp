#include "elixir_side.hpp"
#include "room.hpp"
#include "subjects.hpp"

#include <algorithm>
#include <chrono>
#include <string>

namespace penning::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto script = "children_over_the_bridge.exs";
constexpr std::uint64_t wanted_children = 5'000, descriptors_each = 4;

side children_of(const std::string& name, const std::string& way, const std::string& phase) {
  return {name, [way, phase](const workload& work) {
            const auto arguments = way + " " + std::to_string(work.operations) + " " + phase;
            return phase == "idle" ? watch_elixir(script, arguments, work.idle)
                                   : run_elixir(script, arguments);
          }};
}

subject phase_of(std::uint64_t children, const std::string& phase, const char* what,
                 quantity compared) {
  const bool waits = phase == "idle";
  subject result{
    .name = "children_over_the_bridge/" + std::to_string(children) + "/" + phase,
    .what = what,
    .compared = compared,
    .full = {.operations = children, .idle = waits ? 5'000ms : 0ms},
    .quick = {.operations = std::min<std::uint64_t>(children, 50), .idle = waits ? 100ms : 0ms},
    .most_rounds = 3,
    .sides = {children_of("Erlang's ports", "port 1", phase),
              children_of("penning", "penning 1", phase)}};
  if (phase == "start")
    result.sides.push_back(children_of("penning, eight at a time", "penning 8", phase));
  return result;
}

} // namespace

std::vector<subject> children_over_the_bridge() {
  using enum quantity;
  const auto children = children_in(make_room(), wanted_children, descriptors_each);
  return {phase_of(children, "start",
                   "children that only wait, started by one Elixir process until all are up",
                   microseconds_per_operation),
          phase_of(children, "memory",
                   "what the BEAM and the programs that it runs take for each while all are up",
                   bytes_per_item),
          phase_of(children, "beam_memory", "what of it the BEAM knows of, :erlang.memory(:total)",
                   bytes_per_item),
          phase_of(children, "idle",
                   "processor time of the BEAM and the programs that it runs over five seconds "
                   "while all are idle",
                   percent_of_a_processor)};
}

} // namespace penning::bench
