#include "plain_child.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

extern char** environ;

namespace penning::bench {
namespace {

void expect(int error, const char* what) {
  if (error != 0)
    throw std::system_error(error, std::generic_category(), what);
}

/// The ends of a pipe; the child's one goes with this.
struct pipe_ends {
  io::unique_fd reads, writes;

  pipe_ends() {
    int ends[2];
    expect(::pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno, "pipe2");
    reads.reset(ends[0]);
    writes.reset(ends[1]);
  }
};

class file_actions {
 public:
  file_actions() { expect(::posix_spawn_file_actions_init(&actions_), "file_actions_init"); }
  ~file_actions() { ::posix_spawn_file_actions_destroy(&actions_); }
  file_actions(const file_actions&) = delete;
  file_actions& operator=(const file_actions&) = delete;

  void bind(const io::unique_fd& from, int to) {
    expect(::posix_spawn_file_actions_adddup2(&actions_, from.get(), to), "file_actions_adddup2");
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

std::vector<char*> pointers(const std::string& program, const std::vector<std::string>& args) {
  std::vector<char*> result{const_cast<char*>(program.c_str())};
  for (const auto& arg : args)
    result.push_back(const_cast<char*>(arg.c_str()));
  result.push_back(nullptr);
  return result;
}

} // namespace

plain_child spawn_plainly(const std::string& program, const std::vector<std::string>& args,
                          piped streams) {
  plain_child result;
  io::unique_fd theirs[3];
  file_actions actions;
  auto open = [&](int number, io::unique_fd& ours) {
    pipe_ends ends;
    const bool reads = number == STDIN_FILENO;
    theirs[number] = std::move(reads ? ends.reads : ends.writes);
    ours = std::move(reads ? ends.writes : ends.reads);
    actions.bind(theirs[number], number);
  };
  if (streams.in)
    open(STDIN_FILENO, result.in);
  if (streams.out)
    open(STDOUT_FILENO, result.out);
  if (streams.err)
    open(STDERR_FILENO, result.err);
  expect(::posix_spawnp(&result.pid, program.c_str(), actions.get(), nullptr,
                        pointers(program, args).data(), environ),
         "posix_spawn");
  return result;
}

void reap(const plain_child& child) {
  int status = 0;
  expect(::waitpid(child.pid, &status, 0) == child.pid ? 0 : errno, "waitpid");
}

void kill_and_reap(const plain_child& child) {
  expect(::kill(child.pid, SIGKILL) == 0 ? 0 : errno, "kill");
  reap(child);
}

} // namespace penning::bench
