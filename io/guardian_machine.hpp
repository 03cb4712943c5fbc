#pragma once

// Part of the guardian, see guardian_main.cpp: the system calls, without a C library.

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

#if defined(__x86_64__)
asm(
  ".globl _start\n_start: xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call guardian_main\n");
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
asm(".globl _start\n_start: mov x29, #0\n mov x30, #0\n mov x0, sp\n bl guardian_main\n");
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
constexpr int signal_kill = 9, signal_stop = 19;

} // namespace
