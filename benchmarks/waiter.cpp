// Waits until it is killed, and takes next to nothing meanwhile. With an argument it first writes
// one byte to stdout, to tell that it is up: waiter [WORD]

#include <unistd.h>

int main(int argc, char**) {
  if (argc > 1 && ::write(STDOUT_FILENO, "\n", 1) != 1)
    return 1;
  for (;;)
    ::pause();
}
