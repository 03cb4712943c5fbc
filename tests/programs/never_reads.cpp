// Says "ready" and never looks at its stdin.
#include <unistd.h>

int main() {
  (void)!::write(1, "ready\n", 6);
  for (;;)
    ::pause();
}
