// Tells the size of its terminal, and again with each SIGWINCH.
#include <csignal>
#include <cstdio>
#include <sys/ioctl.h>

int main() {
  sigset_t changes;
  sigemptyset(&changes);
  sigaddset(&changes, SIGWINCH);
  sigprocmask(SIG_BLOCK, &changes, nullptr);
  for (int number = 0;; sigwait(&changes, &number)) {
    winsize size{};
    ::ioctl(0, TIOCGWINSZ, &size);
    std::printf("%d %d\n", size.ws_row, size.ws_col);
    std::fflush(stdout);
  }
}
