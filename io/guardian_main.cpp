// The guardian: outlives a runtime that was killed, only to kill the process groups it leaves.
//
// A program of its own, without the C library: no thread, no allocation, a few pages of memory, and
// nothing that a runtime could share with it. libpenning_io has it built in (guardian_image.cpp)
// and starts one for each context. Its stdin is a SOCK_SEQPACKET socket on which numbers come:
// a group to watch over, or minus a group that is about to be reaped. At the end of that stream the
// runtime is dead: whatever lives in a group of the table is killed, and the guardian ends.
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/time.h>

namespace {

using i32 = int;
using u16 = unsigned short;
using u64 = unsigned long;
static_assert(sizeof(i32) == 4 && sizeof(u64) == 8);

// ---- the machine ----

#if defined(__x86_64__)
asm(".globl _start\n_start: xor %ebp, %ebp\n and $-16, %rsp\n call guardian_main\n");
long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  asm volatile("syscall"
               : "+a"(number)
               : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
               : "rcx", "r11", "memory");
  return number;
}
#elif defined(__aarch64__)
asm(".globl _start\n_start: mov x29, #0\n mov x30, #0\n bl guardian_main\n");
long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
}
#else
#  error "the guardian needs the entry point and the system call of this machine: a few lines here"
#endif

template <class T>
long address(T* p) {
  return reinterpret_cast<long>(p);
}

constexpr long error_interrupted = -4, error_too_many_files = -24, error_system_files = -23;
constexpr int signal_kill = 9;

// ---- a set of groups: a bit for each number that the kernel can give (PID_MAX_LIMIT, proc(5))
// ----

constexpr u64 pid_limit = 4UL * 1024 * 1024;

struct group_set {
  u64 words[pid_limit / 64]; // in .bss: only pages in use are real

  bool has(u64 n) const { return n < pid_limit && (words[n / 64] >> (n % 64) & 1) != 0; }
  void add(u64 n) {
    if (n < pid_limit)
      words[n / 64] |= 1UL << (n % 64);
  }
  void remove(u64 n) {
    if (n < pid_limit)
      words[n / 64] &= ~(1UL << (n % 64));
  }
};

group_set table, ours, seen;

void replace(group_set& to, group_set& from) {
  for (u64 i = 0; i < pid_limit / 64; ++i) {
    if (to.words[i] != from.words[i]) // a page that is only read stays the page of zeros
      to.words[i] = from.words[i];
    if (from.words[i] != 0)
      from.words[i] = 0;
  }
}

// ---- /proc ----

struct stat_fields {
  u64 group = 0, start = 0;
};

u64 number_at(const char*& p) {
  u64 n = 0;
  while (*p >= '0' && *p <= '9')
    n = n * 10 + static_cast<u64>(*p++ - '0');
  return n;
}

/// Fields 5 and 22, counted from the last `)`: the name before it may hold anything, see proc(5).
bool parse_stat(const char* line, long size, stat_fields& result) {
  const char* p = line + size;
  while (p > line && *p != ')')
    --p;
  if (p == line)
    return false;
  for (int field = 3; field <= 22; ++field) {
    while (*p != ' ' && *p != '\0')
      ++p;
    if (*p == '\0')
      return false;
    ++p;
    const char* word = p;
    if (field == 5)
      result.group = number_at(word);
    if (field == 22)
      result.start = number_at(word);
  }
  return true;
}

bool read_stat(const char* pid, stat_fields& result) {
  char path[64] = "/proc/", line[1024];
  int length = 6;
  for (const char* p = pid; *p != '\0'; ++p)
    path[length++] = *p;
  for (const char* p = "/stat"; *p != '\0'; ++p)
    path[length++] = *p;
  path[length] = '\0';
  long file = call(__NR_openat, AT_FDCWD, address(path), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return false;
  long size = call(__NR_read, file, address(line), sizeof line - 1);
  call(__NR_close, file);
  if (size <= 0)
    return false;
  line[size] = '\0';
  return parse_stat(line, size, result);
}

struct directory_entry { // struct linux_dirent64, see getdents64(2)
  u64 inode;
  u64 offset;
  u16 size;
  unsigned char type;
  char name[1];
};

/// Calls `f(name, stat)` for each process; false if /proc cannot be read.
template <class F>
bool for_each_process(F f) {
  alignas(8) static char buffer[32 * 1024];
  long proc = call(__NR_openat, AT_FDCWD, address("/proc"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (proc < 0)
    return false;
  for (long size; (size = call(__NR_getdents64, proc, address(buffer), sizeof buffer)) > 0;)
    for (long at = 0; at < size;) {
      auto* entry = reinterpret_cast<directory_entry*>(buffer + at);
      at += entry->size;
      stat_fields stat;
      if (entry->name[0] >= '1' && entry->name[0] <= '9' && read_stat(entry->name, stat))
        f(entry->name, stat);
    }
  call(__NR_close, proc);
  return true;
}

// ---- the end of the runtime ----

/// Waits until the process is dead, so many milliseconds at most; a zombie is dead.
bool is_dead(long pidfd, long milliseconds) {
  pollfd entry{static_cast<int>(pidfd), POLLIN, 0};
  __kernel_timespec time{0, milliseconds * 1000000};
  return call(__NR_ppoll, address(&entry), 1, address(&time), 0, 0) == 1;
}

u64 ticks_since_boot() { // of 10 ms, the unit of /proc on every machine (USER_HZ)
  __kernel_timespec now{};
  call(__NR_clock_gettime, CLOCK_BOOTTIME, address(&now));
  return static_cast<u64>(now.tv_sec) * 100 + static_cast<u64>(now.tv_nsec) / 10000000;
}

constexpr int kills_at_once = 200;
long killed[kills_at_once];

struct round {
  int kills = 0;       ///< Processes that were alive, and are held in `killed`.
  bool missed = false; ///< There may be more.
};

/// Kills one process of a group of ours. It is looked at again once it is held: before, the number
/// could have become somebody else's.
void kill_held(const char* name, round& r) {
  const char* digits = name;
  long pidfd = call(__NR_pidfd_open, static_cast<long>(number_at(digits)), 0);
  stat_fields stat;
  if (pidfd == error_too_many_files || pidfd == error_system_files || r.kills == kills_at_once)
    r.missed = true;
  else if (pidfd >= 0 && read_stat(name, stat) && ours.has(stat.group) && !is_dead(pidfd, 0)) {
    call(__NR_pidfd_send_signal, pidfd, signal_kill, 0, 0);
    seen.add(stat.group);
    killed[r.kills++] = pidfd;
    return;
  }
  if (pidfd >= 0)
    call(__NR_close, pidfd);
}

/// The runtime has deregistered each group before it reaped the leader; so the groups of the table
/// were its own when it died. Since then a number may have been given away: a group is taken for
/// the runtime's if it has a member, dead or alive, that is older than the runtime's death, and as
/// long as each round finds a living one in it.
void kill_all(u64 death) {
  for_each_process([death](const char*, const stat_fields& stat) {
    if (table.has(stat.group) && stat.start <= death)
      ours.add(stat.group);
  });
  for (;;) {
    round r;
    bool complete = for_each_process([&r](const char* name, const stat_fields& stat) {
      if (ours.has(stat.group))
        kill_held(name, r);
    });
    if (r.kills == 0 && complete && !r.missed)
      return;
    for (int i = 0; i < r.kills; ++i) {
      is_dead(killed[i], 100); // in vain for a process in an uninterruptible wait: look again
      call(__NR_close, killed[i]);
    }
    if (complete && !r.missed)
      replace(ours, seen);
    if (r.kills == 0) { // no descriptor to be had
      __kernel_timespec moment{0, 5000000};
      call(__NR_nanosleep, address(&moment), 0);
    }
  }
}

// ---- the life of the runtime ----

void ignore(int number) {
  struct {
    u64 handler = 1; // SIG_IGN
    u64 flags = 0, restorer = 0, mask = 0;
  } action;
  call(__NR_rt_sigaction, number, address(&action), 0, 8);
}

/// Takes the socket away from 0, which becomes /dev/null like 1 and 2.
long settle() {
  constexpr int ignored[] = {1, 2, 3, 10, 12, 13, 14, 15}; // HUP INT QUIT USR1 USR2 PIPE ALRM TERM
  for (int number : ignored)
    ignore(number);
  call(__NR_prctl, PR_SET_NAME, address("penning-guardian"));
  call(__NR_chdir, address("/"));
  long socket = call(__NR_fcntl, 0, F_DUPFD_CLOEXEC, 3);
  call(__NR_dup3, 1, 0, 0);
  call(__NR_close_range, socket + 1, ~0U, 0);
  return socket;
}

void serve(long socket) {
  static i32 numbers[16 * 1024];
  for (;;) {
    long size = call(__NR_read, socket, address(numbers), sizeof numbers);
    if (size == error_interrupted)
      continue;
    if (size <= 0) // the end, or an error that is no better
      return;
    for (long i = 0; i < size / 4; ++i)
      numbers[i] > 0 ? table.add(static_cast<u64>(numbers[i]))
                     : table.remove(static_cast<u64>(-numbers[i]));
  }
}

} // namespace

extern "C" [[noreturn]] __attribute__((used)) void guardian_main() {
  long socket = settle();
  serve(socket);
  kill_all(ticks_since_boot());
  for (;;)
    call(__NR_exit_group, 0);
}
