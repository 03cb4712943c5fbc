// Writes BYTES bytes to stdout as fast as they are taken, on processor CPU: flood BYTES CPU

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

int main(int argc, char** argv) {
  if (argc != 3)
    return 2;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(std::strtoul(argv[2], nullptr, 10), &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0)
    return 3;

  static char block[65536];
  std::memset(block, 'x', sizeof block);
  for (auto left = std::strtoull(argv[1], nullptr, 10); left > 0;) {
    const auto written = ::write(STDOUT_FILENO, block, std::min<std::size_t>(left, sizeof block));
    if (written < 0)
      return 1;
    left -= static_cast<std::size_t>(written);
  }
}
