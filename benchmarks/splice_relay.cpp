// Starts PROGRAM and moves what it writes on to stdout, at most 1 MiB at a time, without ever
// looking at it. Both pipes hold BYTES: splice_relay BYTES PROGRAM [ARG...]

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

int main(int argc, char** argv) {
  constexpr std::size_t chunk = std::size_t{1} << 20;
  if (argc < 3)
    return 2;
  const auto bytes = static_cast<int>(std::strtol(argv[1], nullptr, 10));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0 || ::fcntl(ends[0], F_SETPIPE_SZ, bytes) < 0
      || ::fcntl(STDOUT_FILENO, F_SETPIPE_SZ, bytes) < 0)
    return 3;

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  pid_t child = -1;
  if (::posix_spawn(&child, argv[2], &actions, nullptr, argv + 2, environ) != 0)
    return 4;
  ::close(ends[1]);

  ssize_t moved = 0;
  while ((moved = ::splice(ends[0], nullptr, STDOUT_FILENO, nullptr, chunk, SPLICE_F_MOVE)) > 0)
    ;
  int status = 0;
  ::waitpid(child, &status, 0);
  return moved == 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
