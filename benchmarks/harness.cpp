#include "harness.hpp"

#include "statistics.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <system_error>

namespace penning::bench {
namespace {

struct outcome {
  measurement measured;
  double cpu_seconds = 0;
  long max_rss_kib = 0;
};

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// In the process of one run: does it, and writes what was measured as plain doubles.
[[noreturn]] void measure_and_exit(const side& one, const workload& work, std::FILE* out) {
  int status = 1;
  try {
    const auto measured = one.run(work);
    const double head[] = {measured.units, measured.seconds, measured.bytes, measured.busy,
                           measured.share};
    std::fwrite(head, sizeof(double), std::size(head), out);
    std::fwrite(measured.latencies.data(), sizeof(double), measured.latencies.size(), out);
    status = std::fflush(out) == 0 ? 0 : 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s: %s\n", one.name.c_str(), e.what());
  }
  ::_exit(status); // not exit(): the parent's buffers and atexit handlers are not ours
}

measurement read_measurement(std::FILE* in) {
  std::vector<double> numbers;
  double number = 0;
  while (std::fread(&number, sizeof number, 1, in) == 1)
    numbers.push_back(number);
  if (numbers.size() < 5)
    return {};
  return {numbers[0], numbers[1], numbers[2],
          numbers[3], numbers[4], {numbers.begin() + 5, numbers.end()}};
}

outcome run_once(const side& one, const workload& work) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw_errno("pipe2");
  std::fflush(nullptr);
  const auto pid = ::fork();
  if (pid < 0)
    throw_errno("fork");
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL); // an interrupted harness leaves nothing behind
    ::close(ends[0]);
    measure_and_exit(one, work, ::fdopen(ends[1], "w"));
  }
  ::close(ends[1]);
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> in{::fdopen(ends[0], "r"), &std::fclose};
  outcome result;
  result.measured = read_measurement(in.get());
  int status = 0;
  rusage usage{};
  if (::wait4(pid, &status, 0, &usage) != pid)
    throw_errno("wait4");
  if (status != 0)
    throw std::runtime_error(one.name + ": the run failed, wait status " + std::to_string(status));
  result.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  result.max_rss_kib = usage.ru_maxrss;
  return result;
}

double value_of(const measurement& measured, quantity compared) {
  switch (compared) {
  case quantity::megabytes_per_second: return measured.units / measured.seconds / 1e6;
  case quantity::bytes_per_item: return measured.bytes / measured.units;
  case quantity::percent_of_a_processor: return measured.busy / measured.seconds * 100;
  case quantity::percent_of_the_mean: return measured.share;
  default: return measured.seconds * 1e6 / measured.units;
  }
}

void record(side_result& into, const outcome& one, quantity compared) {
  const auto& measured = one.measured;
  const double units =
    compared == quantity::megabytes_per_second ? measured.units / 1e6 : measured.units;
  into.values.push_back(value_of(measured, compared));
  into.cpu.push_back(one.cpu_seconds * 1e6 / units);
  into.latencies.insert(into.latencies.end(), measured.latencies.begin(), measured.latencies.end());
  into.max_rss_kib = std::max(into.max_rss_kib, one.max_rss_kib);
}

} // namespace

subject_result run(const subject& what, bool quick, int rounds) {
  const auto& work = quick ? what.quick : what.full;
  subject_result result{what.name, what.what, what.compared, {}};
  for (const auto& one : what.sides)
    result.sides.push_back({.name = one.name});

  std::vector<std::size_t> order(what.sides.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (int round = 0; round < std::min(rounds, what.most_rounds); ++round) {
    for (auto i : order)
      record(result.sides[i], run_once(what.sides[i], work), what.compared);
    std::ranges::reverse(order);
  }
  for (auto& one : result.sides)
    one.ratios = ratios(one.values, result.sides.front().values);
  return result;
}

void pin(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0)
    throw_errno("sched_setaffinity");
}

} // namespace penning::bench
