// Leaves a child in its group that holds stdout and stderr and ignores SIGTERM, writes its pid, and
// ends with 0.
#include <csignal>
#include <cstdio>
#include <unistd.h>

int main() {
  std::signal(SIGTERM, SIG_IGN);
  pid_t child = ::fork();
  if (child != 0) {
    std::printf("%d\n", child);
    return 0;
  }
  for (;;)
    ::pause();
}
