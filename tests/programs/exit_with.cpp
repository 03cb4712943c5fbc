// Ends with the status that it is given: exit_with 3
#include <cstdlib>

int main(int, char** argv) {
  return std::atoi(argv[1]);
}
