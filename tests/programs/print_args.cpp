// Writes its name and its arguments, one per line.
#include <cstdio>

int main(int argc, char** argv) {
  for (int i = 0; i < argc; ++i)
    std::puts(argv[i]);
}
