// Leaves a child in a session of its own that writes to stdout without end, until nobody reads:
// writes that child's pid to stderr, and ends with 0.
#include <array>
#include <cstdio>
#include <unistd.h>

int main() {
  std::array<char, 4096> block;
  block.fill('x');
  pid_t child = ::fork();
  if (child != 0) {
    (void)!::read(0, block.data(), 1); // until stdin is closed
    std::fprintf(stderr, "%d\n", child);
    return 0;
  }
  ::setsid();
  while (::write(1, block.data(), block.size()) > 0) {
  }
}
