#pragma once

// Part of the guardian, see guardian_main.cpp: the control groups that a runtime leaves.

#include "guardian_processes.hpp"

namespace {

constexpr int path_limit = 4096;

/// The paths that are watched, each with its length before it; 0 as the length is the end.
struct path_table {
  char bytes[16 * 1024 * 1024]; // in .bss: only pages in use are real
  long used = 0;

  static long length_at(const char* p) {
    return static_cast<unsigned char>(p[0]) | static_cast<unsigned char>(p[1]) << 8;
  }
  void add(const char* path, long length) {
    if (length >= path_limit || used + length + 2 > static_cast<long>(sizeof bytes))
      return;
    bytes[used] = static_cast<char>(length & 0xff);
    bytes[used + 1] = static_cast<char>(length >> 8);
    for (long i = 0; i < length; ++i)
      bytes[used + 2 + i] = path[i];
    used += length + 2;
  }
  void remove(const char* path, long length) {
    for (long at = 0; at < used; at += 2 + length_at(bytes + at)) {
      bool same = length_at(bytes + at) == length;
      for (long i = 0; same && i < length; ++i)
        same = bytes[at + 2 + i] == path[i];
      if (!same)
        continue;
      long size = length + 2;
      for (long i = at; i + size < used; ++i)
        bytes[i] = bytes[i + size];
      used -= size;
      return;
    }
  }
};

path_table control_groups;

long open_directory(long parent, const char* name) {
  return call(__NR_openat, parent, address(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool write_file(long directory, const char* name, const char* text) {
  long file = call(__NR_openat, directory, address(name), O_WRONLY | O_CLOEXEC);
  if (file < 0)
    return false;
  long size = 0;
  while (text[size] != '\0')
    ++size;
  long written = call(__NR_write, file, address(text), size);
  call(__NR_close, file);
  return written == size;
}

/// Calls `f(number)` for each process of one v1 cgroup.
template <class F>
void for_each_in(long directory, F f) {
  static char text[64 * 1024];
  long file = call(__NR_openat, directory, address("cgroup.procs"), O_RDONLY | O_CLOEXEC);
  u64 number = 0;
  for (long size; file >= 0 && (size = call(__NR_read, file, address(text), sizeof text)) > 0;)
    for (long i = 0; i < size; ++i) {
      if (text[i] >= '0' && text[i] <= '9') {
        number = number * 10 + static_cast<u64>(text[i] - '0');
        continue;
      }
      if (number != 0)
        f(number);
      number = 0;
    }
  if (file >= 0)
    call(__NR_close, file);
}

/// Calls `f(name)` for each directory in one.
template <class F>
void for_each_below(long directory, F f) {
  alignas(8) char buffer[2048]; // on the stack: this goes down a tree
  call(__NR_lseek, directory, 0, 0);
  for (long size; (size = call(__NR_getdents64, directory, address(buffer), sizeof buffer)) > 0;)
    for (long at = 0; at < size;) {
      auto* entry = reinterpret_cast<directory_entry*>(buffer + at);
      at += entry->size;
      if (entry->type == 4 && entry->name[0] != '.') // DT_DIR
        f(entry->name);
    }
}

/// One round of killing in a v1 cgroup and below; there a process that forks is stopped from doing
/// so first. Each is killed that is there before and after it is held.
void kill_in(long directory, round& r, int depth = 0) {
  write_file(directory, "pids.max", "0");
  write_file(directory, "freezer.state", "FROZEN");
  int first = r.kills;
  static u64 numbers[kills_at_once];
  for_each_in(directory, [&](u64 number) {
    if (r.hold(call(__NR_pidfd_open, static_cast<long>(number), 0)))
      numbers[r.kills - 1] = number;
  });
  for_each_in(directory, [&](u64 number) {
    for (int i = first; i < r.kills; ++i)
      if (numbers[i] == number)
        call(__NR_pidfd_send_signal, killed[i], signal_kill, 0, 0);
  });
  write_file(directory, "freezer.state", "THAWED");
  if (depth < 16)
    for_each_below(directory, [&](const char* name) {
      long below = open_directory(directory, name);
      if (below >= 0) {
        kill_in(below, r, depth + 1);
        call(__NR_close, below);
      }
    });
}

/// What is below a cgroup, which cannot be removed before.
void remove_below(long directory, int depth = 0) {
  if (depth < 16)
    for_each_below(directory, [&](const char* name) {
      long below = open_directory(directory, name);
      if (below < 0)
        return;
      remove_below(below, depth + 1);
      call(__NR_close, below);
      call(__NR_unlinkat, directory, address(name), AT_REMOVEDIR);
    });
}

/// Until it can be removed, which is when nobody lives in it.
void end_control_group(const char* path) {
  for (int attempt = 0; attempt < 1000; ++attempt) {
    long directory = open_directory(AT_FDCWD, path);
    if (directory < 0)
      return;
    round r;
    if (!write_file(directory, "cgroup.kill", "1"))
      kill_in(directory, r);
    r.kills > 0 || r.missed ? r.await_deaths() : (void)0;
    remove_below(directory);
    call(__NR_close, directory);
    if (call(__NR_unlinkat, AT_FDCWD, address(path), AT_REMOVEDIR) == 0)
      return;
    pause_for(attempt < 100 ? 1 : 10);
  }
}

/// All are killed before the first is waited for.
void end_control_groups() {
  static char path[path_limit];
  for (int pass = 0; pass < 2; ++pass)
    for (long at = 0; at < control_groups.used;) {
      long length = path_table::length_at(control_groups.bytes + at);
      for (long i = 0; i < length; ++i)
        path[i] = control_groups.bytes[at + 2 + i];
      path[length] = '\0';
      at += length + 2;
      long directory = pass == 0 ? open_directory(AT_FDCWD, path) : -1;
      if (directory >= 0) {
        write_file(directory, "cgroup.kill", "1");
        call(__NR_close, directory);
      }
      if (pass == 1)
        end_control_group(path);
    }
}

} // namespace
