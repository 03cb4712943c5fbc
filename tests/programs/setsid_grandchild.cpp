// Has a child in a session of its own; writes its own pid and the child's, and lives on.
#include <cstdio>
#include <unistd.h>

int main() {
  pid_t child = ::fork();
  if (child == 0)
    ::setsid();
  else {
    std::printf("%d %d\n", ::getpid(), child);
    std::fflush(stdout);
  }
  for (;;)
    ::pause();
}
