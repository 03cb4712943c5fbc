// Writes BYTES bytes to stdout as fast as they are taken, on processor CPU or, if that is `-`,
// where it may; with a third argument once there is something to read: flood BYTES CPU|- [WORD]

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace {

bool pin(const char* cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(std::strtoul(cpu, nullptr, 10), &set);
  return ::sched_setaffinity(0, sizeof set, &set) == 0;
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 3)
    return 2;
  if (std::strcmp(argv[2], "-") != 0 && !pin(argv[2]))
    return 3;

  static char block[65536];
  if (argc > 3 && ::read(STDIN_FILENO, block, 1) != 1)
    return 4;
  std::memset(block, 'x', sizeof block);
  for (auto left = std::strtoull(argv[1], nullptr, 10); left > 0;) {
    const auto written = ::write(STDOUT_FILENO, block, std::min<std::size_t>(left, sizeof block));
    if (written < 0)
      return 1;
    left -= static_cast<std::size_t>(written);
  }
}
