#include "elixir_side.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace penning::bench {

measurement run_elixir(const std::string& script, const std::string& arguments) {
  // By the environment, whatever is in the paths.
  ::setenv("PENNING_BENCH_SCRIPT", (PENNING_BENCH_SCRIPTS "/" + script).c_str(), 1);
  ::setenv("PENNING_BENCH_EBIN", PENNING_BENCH_ELIXIR "/lib/penning/ebin", 1);
  ::setenv("PENNING_BENCH_EI_ECHO", PENNING_BENCH_EI_ECHO_PROGRAM, 1);
  ::setenv("PENNING_BENCH_ECHO_PORT", PENNING_BENCH_ECHO_PORT_PROGRAM, 1);
  ::setenv("PENNINGD", PENNING_BENCH_PENNINGD, 1);
  std::string command =
    R"(exec elixir -pa "$PENNING_BENCH_EBIN" --erl '+P 2000000' "$PENNING_BENCH_SCRIPT" )";
  command.append(arguments);
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe{::popen(command.c_str(), "r"), ::pclose};
  measurement result;
  if (!pipe
      || std::fscanf(pipe.get(), "%lf %lf %lf", &result.units, &result.seconds, &result.bytes) != 3)
    throw std::runtime_error("failed: " + script + " " + arguments);
  return result;
}

} // namespace penning::bench
