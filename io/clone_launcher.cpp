#include <penning/io/clone_launcher.hpp>

#include <penning/io/in_child.hpp>

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#  include <sanitizer/asan_interface.h>
#  define PENNING_UNPOISON(address, size) ASAN_UNPOISON_MEMORY_REGION(address, size)
#else
#  define PENNING_UNPOISON(address, size) (void)0
#endif

namespace penning::io {
namespace {

constexpr std::size_t stack_bytes = 64UL * 1024;
constexpr std::uint64_t no_signal = 0, every_signal = ~std::uint64_t{0};

boost::system::error_code system_error_of(int error) {
  return {error, boost::system::system_category()};
}

std::uint64_t set_mask(const std::uint64_t& mask) noexcept {
  std::uint64_t old = 0; // glibc's own function would leave out two signals of its own
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &old, sizeof mask);
  return old;
}

} // namespace

struct clone_launcher::failure {
  volatile int error = 0;
  const char* volatile step = "";
};

/// The child's stack, above a page that faults, and what the child reports. Kept from one launch to
/// the next: mapping it anew costs its page faults each time.
struct clone_launcher::memory {
  failure failed;
  char* stack;
  std::size_t guard_bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));

  memory() {
    void* p = ::mmap(nullptr, guard_bytes + stack_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    stack = p == MAP_FAILED ? nullptr : static_cast<char*>(p);
    if (stack != nullptr)
      ::mprotect(stack, guard_bytes, PROT_NONE);
  }
  ~memory() {
    if (stack != nullptr)
      ::munmap(stack, guard_bytes + stack_bytes);
  }
  memory(const memory&) = delete;
  memory& operator=(const memory&) = delete;
};

namespace {

/// All that the child needs, resolved before the clone: in the child nothing is allocated.
struct child_work {
  clone_launcher::settings what;
  const char* program;
  const char* const* argv;
  const char* const* env;
  const int* keep; // descriptors above 2, ascending
  std::size_t keep_count;
  void (*hooks)(void*);
  void* hooks_argument;
  long parent;
  bool born_in_cgroup; // else it moves
  volatile int* error;
  const char* volatile* step;
};

PENNING_IN_CHILD bool fail(const child_work& work, const char* step) {
  *work.error = errno;
  *work.step = step;
  return false;
}

// Ignored signals and the mask survive execve(2), and a handler of the parent must not run here
// once signals are let in: so all go back to the default. Both SIGKILL and SIGSTOP refuse, rightly.
PENNING_IN_CHILD void reset_dispositions() {
  const struct { // the kernel's struct sigaction, which differs from the C library's
    void (*handler)(int) = SIG_DFL;
    unsigned long flags = 0;
    void (*restorer)() = nullptr;
    std::uint64_t mask = 0;
  } by_default;
  for (int number = 1; number <= 64; ++number)
    ::syscall(SYS_rt_sigaction, number, &by_default, nullptr, sizeof by_default.mask);
}

PENNING_IN_CHILD bool enter_group(const child_work& work) {
  if (!work.what.new_session)
    return ::syscall(SYS_setpgid, 0, 0) == 0 || fail(work, "setpgid");
  if (::syscall(SYS_setsid) < 0)
    return fail(work, "setsid");
  return work.what.terminal < 0 || ::syscall(SYS_ioctl, work.what.terminal, TIOCSCTTY, 0) == 0
         || fail(work, "ioctl(TIOCSCTTY)");
}

// Before anything of the program's own can run: what it starts later is born there as well.
PENNING_IN_CHILD bool move_to_cgroup(const child_work& work, int directory) {
  auto file = ::syscall(SYS_openat, directory, "cgroup.procs", O_WRONLY | O_CLOEXEC);
  if (file < 0 || ::syscall(SYS_write, file, "0", 1) < 0)
    return fail(work, "enter cgroup");
  ::syscall(SYS_close, file);
  return true;
}

PENNING_IN_CHILD bool enter_cgroups(const child_work& work) {
  for (std::size_t i = 0; i < work.what.cgroups.size(); ++i)
    if (!move_to_cgroup(work, work.what.cgroups.data()[i]))
      return false;
  return work.what.cgroup < 0 || work.born_in_cgroup || move_to_cgroup(work, work.what.cgroup);
}

PENNING_IN_CHILD bool bind_stdio(const child_work& work) {
  int source[3] = {work.what.stdio[0], work.what.stdio[1], work.what.stdio[2]};
  for (int target = 0; target < 3; ++target) // move what a later dup would overwrite
    if (source[target] >= 0 && source[target] < 3 && source[target] != target)
      if ((source[target] = static_cast<int>(::syscall(SYS_fcntl, source[target], F_DUPFD, 3))) < 0)
        return fail(work, "fcntl(F_DUPFD)");
  for (int target = 0; target < 3; ++target) {
    if (source[target] < 0)
      ::syscall(SYS_close, target);
    else if (source[target] == target) // dup3(2) refuses; a descriptor that is closed stays closed
      ::syscall(SYS_fcntl, target, F_SETFD, 0);
    else if (::syscall(SYS_dup3, source[target], target, 0) < 0)
      return fail(work, "dup3");
  }
  return true;
}

// The signal is sent when the *thread* that cloned ends. If that has happened before prctl(2), the
// parent is another one by now. After the hooks, as a change of user clears the setting.
PENNING_IN_CHILD bool die_with_parent(const child_work& work) {
  if (work.what.outlives_parent)
    return true;
  if (::syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
    return fail(work, "prctl(PR_SET_PDEATHSIG)");
  if (::syscall(SYS_getppid) == work.parent)
    return true;
  errno = ESRCH;
  return fail(work, "getppid");
}

PENNING_IN_CHILD bool close_all_others(const child_work& work) {
  unsigned from = 3;
  for (std::size_t i = 0; i <= work.keep_count; ++i) {
    unsigned next = i < work.keep_count ? static_cast<unsigned>(work.keep[i]) : ~0U;
    unsigned last = i < work.keep_count ? next - 1 : next;
    if (from <= last && ::syscall(SYS_close_range, from, last, 0) != 0)
      return fail(work, "close_range");
    from = next + 1;
  }
  return true;
}

PENNING_IN_CHILD bool change_directory(const child_work& work) {
  return work.what.directory == nullptr || ::syscall(SYS_chdir, work.what.directory) == 0
         || fail(work, "chdir");
}

PENNING_IN_CHILD bool run_hooks(const child_work& work) {
  work.hooks(work.hooks_argument);
  return *work.error == 0;
}

PENNING_IN_CHILD void execute(const child_work& work) {
  if (work.what.image >= 0)
    ::syscall(SYS_execveat, work.what.image, "", work.argv, work.env, AT_EMPTY_PATH);
  else
    ::syscall(SYS_execve, work.program, work.argv, work.env);
  fail(work, "execve");
}

PENNING_IN_CHILD int in_child(void* argument) {
  const auto& work = *static_cast<const child_work*>(argument);
  reset_dispositions();
  if (enter_group(work) && enter_cgroups(work) && bind_stdio(work) && run_hooks(work)
      && die_with_parent(work) && close_all_others(work) && change_directory(work)) {
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &no_signal, nullptr, sizeof no_signal);
    execute(work);
  }
  for (;;)
    ::syscall(SYS_exit_group, 127);
}

constexpr std::uint64_t clone_flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD;

/// A system call that gives the child another stack, which the C library's syscall(2) would not
/// survive: calls `in_child` there; in the parent returns the pid, or minus an errno.
PENNING_IN_CHILD long call_clone(long number, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                                 child_work& work) {
#if defined(__x86_64__)
  register std::uint64_t r10 asm("r10") = 0;
  register std::uint64_t r8 asm("r8") = 0;
  asm volatile("syscall\n\t"
               "test %%rax, %%rax\n\t"
               "jnz 1f\n\t"
               "mov %[work], %%rdi\n\t"
               "mov %[in_child], %%rax\n\t"
               "xor %%ebp, %%ebp\n\t" // only now: the compiler may have put either there
               "call *%%rax\n"
               "1:"
               : "+a"(number)
               : "D"(a), "S"(b), "d"(c), "r"(r10),
                 "r"(r8), [work] "r"(&work), [in_child] "r"(in_child)
               : "rcx", "r11", "memory", "cc");
  return number;
#elif defined(__aarch64__)
  register long x8 asm("x8") = number;
  register std::uint64_t x0 asm("x0") = a;
  register std::uint64_t x1 asm("x1") = b;
  register std::uint64_t x2 asm("x2") = c;
  register std::uint64_t x3 asm("x3") = 0;
  register std::uint64_t x4 asm("x4") = 0;
  asm volatile("svc #0\n\t"
               "cbnz x0, 1f\n\t"
               "mov x0, %[work]\n\t"
               "mov x1, %[in_child]\n\t"
               "mov x29, #0\n\t" // only now: the compiler may have put either there
               "blr x1\n"
               "1:"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3),
                 "r"(x4), [work] "r"(&work), [in_child] "r"(in_child)
               : "memory", "cc");
  return static_cast<long>(x0);
#else
#  error "the launcher needs the system call of this machine: a few lines here"
#endif
}

/// See clone(2). Without clone3, as some containers have it, the child moves to its cgroup by
/// itself.
PENNING_IN_CHILD long clone_child(char* stack, std::size_t size, int& pidfd, child_work& work) {
  clone_args args{};
  args.flags = clone_flags;
  args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  args.stack = reinterpret_cast<std::uint64_t>(stack);
  args.stack_size = size;
  if (work.what.pids == clone_launcher::pid_space::fresh)
    args.flags |= CLONE_NEWPID;
  work.born_in_cgroup = work.what.cgroup >= 0;
  if (work.born_in_cgroup) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<std::uint64_t>(work.what.cgroup);
  }
  long child = call_clone(SYS_clone3, reinterpret_cast<std::uint64_t>(&args), sizeof args, 0, work);
  if (child != -ENOSYS && child != -E2BIG && child != -EINVAL)
    return child;
  work.born_in_cgroup = false;
  args.flags &= ~static_cast<std::uint64_t>(CLONE_INTO_CGROUP);
  return call_clone(SYS_clone, args.flags | SIGCHLD, args.stack + size, args.pidfd, work);
}

} // namespace

clone_launcher::clone_launcher() = default;
clone_launcher::~clone_launcher() = default;

PENNING_IN_CHILD bool clone_launcher::note_failure(int error, const char* step) noexcept {
  if (error != 0) {
    memory_->failed.error = error;
    memory_->failed.step = step;
  }
  return error != 0;
}

launched_process clone_launcher::clone_and_exec(const char* program, const char* const* argv,
                                                void (*hooks)(void*), void* argument,
                                                error_code& error) {
  if (memory_ == nullptr || memory_->stack == nullptr)
    memory_ = std::make_unique<memory>();
  failed_step_ = "mmap";
  error = system_error_of(ENOMEM);
  if (memory_->stack == nullptr)
    return {};

  if (next.image >= 0)
    fd_whitelist.push_back(next.image); // it is close-on-exec by itself
  std::sort(fd_whitelist.begin(), fd_whitelist.end());
  auto keep = std::upper_bound(fd_whitelist.begin(), fd_whitelist.end(), 2);
  auto& failed = memory_->failed;
  failed.error = 0;
  child_work work{.what = next,
                  .program = program,
                  .argv = argv,
                  .env = env,
                  .keep = std::to_address(keep),
                  .keep_count = static_cast<std::size_t>(fd_whitelist.end() - keep),
                  .hooks = hooks,
                  .hooks_argument = argument,
                  .parent = next.pids == pid_space::own ? ::syscall(SYS_getpid) : 0,
                  .born_in_cgroup = false,
                  .error = &failed.error,
                  .step = &failed.step};

  int pidfd = -1;
  // No handler of the parent may run in the child, which shares its memory.
  auto mask = set_mask(every_signal);
  long child = clone_child(memory_->stack + memory_->guard_bytes, stack_bytes, pidfd, work);
  set_mask(mask);
  PENNING_UNPOISON(memory_->stack + memory_->guard_bytes, stack_bytes);

  pid = child > 0 ? static_cast<pid_t>(child) : -1;
  failed_step_ = child < 0 ? "clone" : failed.error != 0 ? failed.step : "";
  error = system_error_of(child < 0 ? static_cast<int>(-child) : failed.error);
  return {pid, unique_fd(child < 0 ? -1 : pidfd)};
}

void clone_launcher::reap_failed(launched_process& child) noexcept {
  siginfo_t info{};
  if (child.pid > 0)
    while (::waitid(P_PIDFD, static_cast<id_t>(child.pidfd.get()), &info, WEXITED) != 0
           && errno == EINTR) {
    }
}

} // namespace penning::io
