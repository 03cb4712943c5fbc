#include "elixir_side.hpp"
#include "room.hpp"
#include "subjects.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>

namespace penning::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t wanted_children = 1'000, descriptors_each = 4;

// -- one child, as much as goes -------------------------------------------------------------------

side receive_all(const std::string& name, const std::string& way, std::size_t pipe_bytes,
                 std::size_t window = 0) {
  return {name, [way, pipe_bytes, window](const workload& work) {
            auto arguments =
              way + " " + std::to_string(pipe_bytes) + " " + std::to_string(work.bytes);
            if (window > 0)
              arguments += " " + std::to_string(window);
            auto result = run_elixir("stdout_to_elixir.exs", arguments);
            if (result.units != static_cast<double>(work.bytes))
              throw std::runtime_error("bytes were lost");
            return result;
          }};
}

subject with_pipes_of(const std::string& name, std::size_t bytes) {
  return {.name = "stdout_to_elixir/" + name,
          .what = "a child writes, an Elixir process receives; all pipes on the way of this size; "
                  "not pinned",
          .compared = quantity::megabytes_per_second,
          .full = {.bytes = 1ull << 30},
          .quick = {.bytes = 1ull << 25},
          .sides = {receive_all("Erlang's port", "port", bytes),
                    receive_all("Erlang's port and a splice relay", "relay", bytes),
                    receive_all("penning, window 64 KiB", "penning", bytes, 1u << 16),
                    receive_all("penning, window 1 MiB", "penning", bytes, 1u << 20)}};
}

// -- many at once ---------------------------------------------------------------------------------

side receive_from_many(const std::string& name, const std::string& way) {
  return {name, [way](const workload& work) {
            return run_elixir("stdout_of_many.exs", way + " " + std::to_string(work.operations)
                                                      + " " + std::to_string(work.idle.count()));
          }};
}

subject many(std::uint64_t children, const char* name, quantity compared) {
  return {.name = "stdout_to_elixir/" + std::to_string(children) + "_children/" + name,
          .what =
            "children that all write without a pause, one Elixir process receives; not pinned",
          .compared = compared,
          .full = {.operations = children, .idle = 5'000ms},
          .quick = {.operations = std::min<std::uint64_t>(children, 50), .idle = 200ms},
          .most_rounds = 3,
          .sides = {receive_from_many("Erlang's ports", "port"),
                    receive_from_many("penning", "penning")}};
}

} // namespace

std::vector<subject> stdout_to_elixir() {
  const auto children = children_in(make_room(), wanted_children, descriptors_each);
  return {with_pipes_of("64_kib_pipes", 1u << 16), with_pipes_of("1_mib_pipes", 1u << 20),
          many(children, "fair", quantity::percent_of_the_mean),
          many(children, "throughput", quantity::megabytes_per_second)};
}

} // namespace penning::bench
