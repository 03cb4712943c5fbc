// Ends by the signal that it is given: dies_by 9
#include <csignal>
#include <cstdlib>

int main(int, char** argv) {
  std::raise(std::atoi(argv[1]));
  return 1;
}
