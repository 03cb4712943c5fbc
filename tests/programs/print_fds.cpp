// Writes the numbers of its open descriptors, one per line.
#include <cstdio>
#include <fcntl.h>

int main() {
  for (int fd = 0; fd < 4096; ++fd)
    if (::fcntl(fd, F_GETFD) != -1)
      std::printf("%d\n", fd);
}
