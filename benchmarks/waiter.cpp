// Waits until it is killed, and takes next to nothing meanwhile. With an argument it first writes
// one byte to stdout, to tell that it is up; with another it waits for the end of its stdin
// instead: waiter [WORD [WORD]]

#include <unistd.h>

int main(int argc, char**) {
  if (argc > 1 && ::write(STDOUT_FILENO, "\n", 1) != 1)
    return 1;
  for (char byte = 0; argc > 2;)
    if (::read(STDIN_FILENO, &byte, 1) <= 0)
      return 0;
  for (;;)
    ::pause();
}
