// A child and a grandchild in one group with it, all deaf to SIGTERM: writes the pids of all three,
// its own first, and lives on.
#include <csignal>
#include <cstdio>
#include <unistd.h>

int main() {
  std::signal(SIGTERM, SIG_IGN);
  int report[2];
  if (::pipe(report) != 0)
    return 1;
  pid_t child = ::fork(), grandchild = 0;
  if (child == 0) {
    grandchild = ::fork();
    if (grandchild != 0)
      (void)!::write(report[1], &grandchild, sizeof grandchild);
  } else {
    (void)!::read(report[0], &grandchild, sizeof grandchild);
    std::printf("%d %d %d\n", ::getpid(), child, grandchild);
    std::fflush(stdout);
  }
  for (;;)
    ::pause();
}
