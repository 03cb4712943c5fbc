// Says "ready", then lives until it is killed by something stronger than SIGTERM.
#include <csignal>
#include <unistd.h>

int main() {
  std::signal(SIGTERM, SIG_IGN);
  (void)!::write(1, "ready\n", 6);
  for (;;)
    ::pause();
}
