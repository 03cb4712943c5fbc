#pragma once

// Part of the guardian, see guardian_main.cpp: /proc, and the process groups that a runtime leaves.

#include "guardian_machine.hpp"

namespace {

/// A set of groups: a bit for each number that the kernel can give (PID_MAX_LIMIT, proc(5)).
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
long table_size = 0;

void replace(group_set& to, group_set& from) {
  for (u64 i = 0; i < pid_limit / 64; ++i) {
    if (to.words[i] != from.words[i]) // a page that is only read stays the page of zeros
      to.words[i] = from.words[i];
    if (from.words[i] != 0)
      from.words[i] = 0;
  }
}

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

void pause_for(long milliseconds) {
  __kernel_timespec time{0, milliseconds * 1000000};
  call(__NR_nanosleep, address(&time), 0);
}

struct round {
  int kills = 0;       ///< Processes that were alive, and are held in `killed`.
  bool missed = false; ///< There may be more.

  /// Whether it could be held.
  bool hold(long pidfd) {
    if (pidfd == error_too_many_files || pidfd == error_system_files || kills == kills_at_once)
      missed = true;
    else if (pidfd >= 0) {
      killed[kills++] = pidfd;
      return true;
    }
    if (pidfd >= 0)
      call(__NR_close, pidfd);
    return false;
  }
  void let_go() { call(__NR_close, killed[--kills]); }

  /// In vain for a process in an uninterruptible wait: look again.
  void await_deaths() {
    if (kills == 0)
      pause_for(5); // no descriptor to be had
    while (kills > 0) {
      is_dead(killed[kills - 1], 100);
      let_go();
    }
  }
};

/// Kills a group of ours, of which a member was found. It is looked at again once it is held:
/// before, the number could have become somebody else's. And once it is stopped, which keeps the
/// number of the group from being given away: so all of the group can be killed at once, and nobody
/// forks in time.
void kill_held(const char* name, round& r) {
  const char* digits = name;
  stat_fields stat;
  if (!r.hold(call(__NR_pidfd_open, static_cast<long>(number_at(digits)), 0)))
    return;
  long pidfd = killed[r.kills - 1];
  if (!read_stat(name, stat) || !ours.has(stat.group) || is_dead(pidfd, 0))
    return r.let_go();
  call(__NR_pidfd_send_signal, pidfd, signal_stop, 0, 0);
  if (read_stat(name, stat) && ours.has(stat.group))
    call(__NR_kill, -static_cast<long>(stat.group), signal_kill);
  call(__NR_pidfd_send_signal, pidfd, signal_kill, 0, 0);
  seen.add(stat.group);
}

/// The runtime has deregistered each group before it reaped the leader; so the groups of the table
/// were its own when it died. Since then a number may have been given away: a group is taken for
/// the runtime's if it has a member, dead or alive, that is older than the runtime's death, and as
/// long as each round finds a living one in it.
void kill_all(u64 death) {
  if (table_size == 0)
    return;
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
    r.await_deaths();
    if (complete && !r.missed)
      replace(ours, seen);
  }
}

} // namespace
