// A child of a scenario: exits with the status that comes as a byte on stdin, or by SIGTERM, which
// it ignores if it is told so by an argument.
#include <csignal>
#include <unistd.h>

int main(int argc, char**) {
  if (argc > 1)
    std::signal(SIGTERM, SIG_IGN);
  unsigned char status = 0;
  if (::read(0, &status, 1) == 1)
    return status;
  for (;;)
    ::pause();
}
