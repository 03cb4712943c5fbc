#include "elixir_side.hpp"
#include "subjects.hpp"

#include <string>

namespace penning::bench {
namespace {

enum class placing : std::uint8_t { anywhere, one_processor };

side side_of(const std::string& name, const std::string& arguments, placing place) {
  return {name, [arguments, place](const workload& work) {
            if (place == placing::one_processor)
              pin(0);
            return run_elixir("messages.exs", arguments + " " + std::to_string(work.operations));
          }};
}

subject messages_of(const std::string& name, std::size_t bytes, int outstanding, placing place,
                    std::uint64_t count) {
  const auto rest = std::to_string(bytes) + " " + std::to_string(outstanding);
  return {.name = "messages/" + name,
          .what = "a binary from an Elixir process to a program and back, "
                  + std::to_string(outstanding) + " under way"
                  + (place == placing::anywhere ? "; not pinned" : "; all on one processor"),
          .compared = quantity::microseconds_per_operation,
          .full = {.operations = count},
          .quick = {.operations = 500},
          .sides = {side_of("C program with libei", "ei " + rest, place),
                    side_of("penning, send", "send " + rest, place),
                    side_of("penning, GenServer call", "call " + rest, place)}};
}

} // namespace

std::vector<subject> messages() {
  using enum placing;
  return {messages_of("64_b", 64, 64, anywhere, 400'000),
          messages_of("1_kib", 1024, 64, anywhere, 200'000),
          messages_of("64_kib", 65'536, 64, anywhere, 10'000),
          messages_of("ping_pong", 64, 1, anywhere, 20'000),
          messages_of("ping_pong/one_processor", 64, 1, one_processor, 50'000)};
}

} // namespace penning::bench
