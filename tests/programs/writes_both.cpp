// Writes so many bytes to stdout and as many to stderr, in turn, and exits at once with a status:
// writes_both 1048576 3
#include <algorithm>
#include <array>
#include <cstdlib>
#include <unistd.h>

int main(int, char** argv) {
  long long left[3] = {0, std::atoll(argv[1]), std::atoll(argv[1])};
  std::array<char, 1000> block;
  while (left[1] > 0 || left[2] > 0)
    for (int fd : {1, 2}) {
      block.fill(fd == 1 ? 'o' : 'e');
      auto size = static_cast<std::size_t>(std::min<long long>(left[fd], block.size()));
      ssize_t count = ::write(fd, block.data(), size);
      if (count < 0)
        return 99;
      left[fd] -= count;
    }
  return std::atoi(argv[2]);
}
