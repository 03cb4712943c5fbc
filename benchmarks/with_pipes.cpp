// Becomes PROGRAM, with pipes of BYTES as its stdin and its stdout: with_pipes BYTES PROGRAM
// [ARG...]

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <initializer_list>

int main(int argc, char** argv) {
  if (argc < 3)
    return 2;
  const auto bytes = static_cast<int>(std::strtol(argv[1], nullptr, 10));
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO})
    if (::fcntl(fd, F_SETPIPE_SZ, bytes) < 0)
      return 3;
  ::execv(argv[2], argv + 2);
  return 4;
}
