#include <penning/io/subreaper.hpp>

#include <penning/io/orphans.hpp>
#include <penning/io/runtime_cgroup.hpp>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <system_error>

namespace penning::io {
namespace {

bool has_threads() {
  std::error_code error;
  std::filesystem::directory_iterator tasks("/proc/self/task", error);
  return error || std::distance(tasks, {}) != 1;
}

[[noreturn]] void end_as(int status) {
  if (!WIFSIGNALED(status))
    ::_exit(WEXITSTATUS(status));
  rlimit no_core{0, 0}; // there is one already, if any
  ::setrlimit(RLIMIT_CORE, &no_core);
  std::signal(WTERMSIG(status), SIG_DFL);
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_UNBLOCK, &all, nullptr);
  ::raise(WTERMSIG(status));
  ::_exit(128 + WTERMSIG(status));
}

/// Each that is killed leaves us its own children, until there are none.
void kill_all_that_is_left() {
  for (;;) {
    for (pid_t pid : child_pids())
      ::kill(pid, SIGKILL);
    pid_t reaped;
    while ((reaped = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
    }
    if (reaped < 0)
      return; // ECHILD
    ::usleep(500);
  }
}

/// Stopped from a terminal the runtime stops us with it, or the shell would wait on.
void stop_with(pid_t runtime) {
  ::raise(SIGSTOP);
  ::kill(runtime, SIGCONT);
}

/// Reaps whom it is given, until the runtime has ended.
void reap(pid_t runtime) {
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0;) {
    if (pid != runtime)
      continue;
    if (WIFSTOPPED(status)) {
      stop_with(runtime);
      continue;
    }
    kill_all_that_is_left();
    end_as(status);
  }
}

/// What a terminal sends, the runtime gets by itself.
[[noreturn]] void be_the_parent(pid_t runtime, const sigset_t& signals) {
  ::prctl(PR_SET_NAME, "penning-reaper");
  for (;;) {
    siginfo_t info{};
    if (::sigwaitinfo(&signals, &info) < 0)
      continue;
    if (info.si_signo == SIGCHLD)
      reap(runtime);
    else if (info.si_code != SI_KERNEL)
      ::kill(runtime, info.si_signo);
  }
}

/// All that can be handled; those of a fault are not to be waited for.
sigset_t handed_on() {
  sigset_t set;
  sigemptyset(&set);
  for (int number :
       {SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT, SIGALRM})
    sigaddset(&set, number);
  return set;
}

void split() {
  std::signal(SIGCHLD, SIG_DFL); // ignored, it would not be told
  auto signals = handed_on();
  sigset_t before;
  ::sigprocmask(SIG_BLOCK, &signals, &before);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t parent = ::getpid(), runtime = ::fork();
  if (runtime < 0)
    throw std::system_error(errno, std::system_category(), "fork");
  if (runtime > 0)
    be_the_parent(runtime, signals);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent)
    ::raise(SIGTERM);
  sigaddset(&before,
            SIGCHLD); // the context reads it from a descriptor, so that it interrupts nobody
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

} // namespace

context_options contain_program(containment_choice wanted) {
  using enum containment_choice;
  if (wanted == strongest && runtime_cgroup({2, 1}).version() != 0)
    return {strongest};
  if ((wanted != strongest && wanted != subreaper) || has_threads())
    return {wanted};
  split();
  return {subreaper};
}

} // namespace penning::io
