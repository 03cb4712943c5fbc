#include "elixir_side.hpp"

#include <sys/types.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace penning::bench {
namespace {

using output_pipe = std::unique_ptr<FILE, int (*)(FILE*)>;

output_pipe start_elixir(const std::string& script, const std::string& arguments) {
  // By the environment, whatever is in the paths.
  ::setenv("PENNING_BENCH_SCRIPT", (PENNING_BENCH_SCRIPTS "/" + script).c_str(), 1);
  ::setenv("PENNING_BENCH_EBIN", PENNING_BENCH_ELIXIR "/lib/penning/ebin", 1);
  ::setenv("PENNING_BENCH_EI_ECHO", PENNING_BENCH_EI_ECHO_PROGRAM, 1);
  ::setenv("PENNING_BENCH_ECHO_PORT", PENNING_BENCH_ECHO_PORT_PROGRAM, 1);
  ::setenv("PENNING_BENCH_FLOOD_PROGRAM", PENNING_BENCH_FLOOD, 1);
  ::setenv("PENNING_BENCH_WAITER_PROGRAM", PENNING_BENCH_WAITER, 1);
  ::setenv("PENNING_BENCH_WITH_PIPES_PROGRAM", PENNING_BENCH_WITH_PIPES, 1);
  ::setenv("PENNING_BENCH_SPLICE_RELAY_PROGRAM", PENNING_BENCH_SPLICE_RELAY, 1);
  ::setenv("PENNINGD", PENNING_BENCH_PENNINGD, 1);
  std::string command =
    R"(exec elixir -pa "$PENNING_BENCH_EBIN" --erl '+P 2000000' "$PENNING_BENCH_SCRIPT" )";
  command.append(arguments);
  return {::popen(command.c_str(), "r"), ::pclose};
}

/// Of all their threads, also of those that have ended.
double processor_seconds(const std::vector<pid_t>& processes) {
  double sum = 0;
  for (const auto process : processes) {
    clockid_t clock{};
    timespec time{};
    if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0)
      throw std::runtime_error("process " + std::to_string(process) + " has no clock");
    sum += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  }
  return sum;
}

} // namespace

measurement run_elixir(const std::string& script, const std::string& arguments) {
  const auto pipe = start_elixir(script, arguments);
  measurement result;
  if (!pipe
      || std::fscanf(pipe.get(), "%lf %lf %lf %lf", &result.units, &result.seconds, &result.bytes,
                     &result.share)
           < 3)
    throw std::runtime_error("failed: " + script + " " + arguments);
  return result;
}

measurement watch_elixir(const std::string& script, const std::string& arguments,
                         std::chrono::milliseconds idle) {
  const auto settling = idle / 4; // after the last start there is something to tidy up
  const auto pipe = start_elixir(
    script, arguments + " " + std::to_string((settling + idle + std::chrono::seconds{1}).count()));
  std::size_t count = 0;
  if (!pipe || std::fscanf(pipe.get(), "%zu", &count) != 1)
    throw std::runtime_error("failed: " + script + " " + arguments);
  std::vector<pid_t> processes(count);
  for (auto& process : processes)
    if (std::fscanf(pipe.get(), "%d", &process) != 1)
      throw std::runtime_error("failed: " + script + " " + arguments);
  std::this_thread::sleep_for(settling);
  const auto before = processor_seconds(processes);
  const stopwatch since;
  std::this_thread::sleep_for(idle);
  return {.units = static_cast<double>(count),
          .seconds = since.seconds(),
          .busy = processor_seconds(processes) - before};
}

} // namespace penning::bench
