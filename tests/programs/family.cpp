// A process with as many descendants as it has arguments, each described by words joined by `+`:
//   setsid         in a session of its own
//   double_fork    its parent is gone when it begins
//   deaf           ignores SIGTERM, SIGHUP and SIGINT
//   closed         without stdin, stdout and stderr; else it holds them
//   bomb           begets again and again: some dozen processes, each soon replaced by another
// Writes "ready\n" once all live, and lives on. With `exit` as an argument it exits with 0 instead.
// What it begets has its environment, by which it can be found.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr int bomb_size = 50, bomb_births = 3'000; // so that no mistake fills the machine

struct bomb {
  std::atomic<int> size = 0, births = 0;
};
bomb* shared = nullptr; // by all of it

[[noreturn]] void live() {
  for (;;)
    ::pause();
}

/// Each has one child and ends, so that no list of processes stays true.
[[noreturn]] void explode() {
  std::signal(SIGCHLD, SIG_IGN);
  while (++shared->births < bomb_births) {
    bool grows = ++shared->size <= bomb_size;
    if (!grows)
      --shared->size;
    pid_t child = ::fork();
    if (child > 0 && !grows)
      ::_exit(0);
    if (child < 0 && grows)
      --shared->size;
    if (child < 0)
      ::usleep(1000); // no process to be had: others need the processor to end
  }
  live();
}

bool has(std::string_view words, std::string_view word) {
  return words.find(word) != words.npos;
}

[[noreturn]] void become(std::string_view words, int report) {
  if (has(words, "setsid"))
    ::setsid();
  if (has(words, "double_fork") && ::fork() != 0)
    ::_exit(0);
  if (has(words, "deaf"))
    for (int number : {SIGTERM, SIGHUP, SIGINT})
      std::signal(number, SIG_IGN);
  if (has(words, "closed"))
    for (int fd : {0, 1, 2})
      ::close(fd);
  (void)!::write(report, "x", 1);
  ::close(report);
  if (has(words, "bomb"))
    explode();
  live();
}

} // namespace

int main(int argc, char** argv) {
  void* memory =
    ::mmap(nullptr, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return 1;
  shared = new (memory) bomb;
  int report[2];
  if (::pipe(report) != 0)
    return 1;
  bool exits = false;
  int expected = 0;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "exit") == 0) {
      exits = true;
      continue;
    }
    ++expected;
    if (::fork() == 0)
      become(argv[i], report[1]);
  }
  for (char byte; expected > 0; --expected)
    (void)!::read(report[0], &byte, 1);
  (void)!::write(1, "ready\n", 6);
  if (exits)
    return 0;
  live();
}
