// Daemonizes a grandchild, as daemon(7) has it: a new session, the parent in between gone. Writes
// its own pid and the grandchild's, and lives on.
#include <cstdio>
#include <sys/wait.h>
#include <unistd.h>

int main() {
  int report[2];
  if (::pipe(report) != 0)
    return 1;
  pid_t child = ::fork(), grandchild = 0;
  if (child == 0) {
    ::setsid();
    grandchild = ::fork();
    if (grandchild != 0) {
      (void)!::write(report[1], &grandchild, sizeof grandchild);
      ::_exit(0);
    }
  } else {
    ::waitpid(child, nullptr, 0);
    (void)!::read(report[0], &grandchild, sizeof grandchild);
    std::printf("%d %d\n", ::getpid(), grandchild);
    std::fflush(stdout);
  }
  for (;;)
    ::pause();
}
