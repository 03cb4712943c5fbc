#include <penning/bridge/port_main.hpp>

#include <cstdio>
#include <cstring>

/// The port program: `penningd` speaks docs/protocol.md on stdin and stdout with the program that
/// started it, usually a BEAM. It takes no arguments but `--version` and `--help`.
int main(int argc, char** argv) {
  if (argc == 1)
    return penning::bridge::port_main();
  if (argc == 2 && std::strcmp(argv[1], "--version") == 0)
    return std::puts("penningd " PENNING_VERSION) < 0;
  const bool asked = argc == 2 && std::strcmp(argv[1], "--help") == 0;
  std::fputs("usage: penningd\n"
             "Serves an Erlang port on stdin and stdout (docs/protocol.md); a BEAM starts it.\n"
             "  --version  print the version\n"
             "  --help     print this\n",
             asked ? stdout : stderr);
  return asked ? 0 : 2;
}
