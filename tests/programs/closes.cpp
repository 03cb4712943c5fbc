// Closes the descriptors that it is given, says "closed" on what is left of stdout or stderr, and
// lives on: closes 0
#include <cstdlib>
#include <unistd.h>

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i)
    ::close(std::atoi(argv[i]));
  if (::write(1, "closed\n", 7) < 0)
    (void)!::write(2, "closed\n", 7);
  for (;;)
    ::pause();
}
