// The guardian: outlives a runtime that was killed, only to kill the process groups it leaves.
//
// A program of its own, without the C library: no thread, no allocation, a few pages of memory, and
// nothing that a runtime could share with it. libpenning_io has it built in (guardian_image.cpp)
// and starts one for each context. Its stdin is a SOCK_SEQPACKET socket on which messages come:
// process groups to watch over, or minus a group that is about to be reaped; the path of a control
// group to watch over or to forget. At the end of that stream the runtime is dead: whatever lives
// in a group of the table is killed, the control groups are removed, and the guardian ends.
//
// With the argument "init" it is process 1 of a pid namespace instead: it waits, and reaps.
#include "guardian_cgroups.hpp"

namespace {

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

void enter_group(i32 number) {
  auto group = static_cast<u64>(number > 0 ? number : -number);
  if (table.has(group) != (number > 0))
    table_size += number > 0 ? 1 : -1;
  number > 0 ? table.add(group) : table.remove(group);
}

enum kind { groups = 0, watch_path = 1, forget_path = 2 };

void serve(long socket) {
  static i32 message[16 * 1024];
  for (;;) {
    long size = call(__NR_read, socket, address(message), sizeof message);
    if (size == error_interrupted)
      continue;
    if (size <= 0) // the end, or an error that is no better
      return;
    auto* path = reinterpret_cast<const char*>(message + 1);
    if (message[0] == watch_path)
      control_groups.add(path, size - 4);
    else if (message[0] == forget_path)
      control_groups.remove(path, size - 4);
    else
      for (long i = 1; i < size / 4; ++i)
        enter_group(message[i]);
  }
}

/// Process 1 of a pid namespace: with it goes everything in it. What has lost its parent becomes
/// its child, and the kernel reaps it, since its end is ignored; see wait(2).
[[noreturn]] void be_init() {
  ignore(17); // SIGCHLD
  call(__NR_prctl, PR_SET_NAME, address("penning-init"));
  call(__NR_close_range, 0, ~0U, 0);
  for (;;)
    call(__NR_ppoll, 0, 0, 0, 0, 0);
}

} // namespace

extern "C" [[noreturn]] __attribute__((used)) void guardian_main(const long* arguments) {
  if (arguments[0] == 2)
    be_init();
  long socket = settle();
  serve(socket);
  end_control_groups();
  kill_all(ticks_since_boot());
  for (;;)
    call(__NR_exit_group, 0);
}
