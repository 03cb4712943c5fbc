// Makes its stdout's pipe as large as what it then writes at once, and ends: widens_pipe 1048576
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

int main(int, char** argv) {
  std::vector<char> bytes(static_cast<std::size_t>(std::atoll(argv[1])), 'x');
  if (::fcntl(1, F_SETPIPE_SZ, static_cast<int>(bytes.size())) < 0)
    return 1;
  return ::write(1, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) ? 0 : 2;
}
