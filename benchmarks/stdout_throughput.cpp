#include "actors_side.hpp"
#include "io_side.hpp"
#include "plain_child.hpp"
#include "subjects.hpp"

#include <unistd.h>

#include <future>
#include <stdexcept>
#include <thread>

namespace penning::bench {
namespace {

constexpr auto flood = PENNING_BENCH_FLOOD;
constexpr unsigned reader_cpu = 0;

std::string writer_cpu() {
  return std::thread::hardware_concurrency() > 1 ? "1" : "0";
}

void expect_all(double got, std::uint64_t wanted) {
  if (got != static_cast<double>(wanted))
    throw std::runtime_error("bytes were lost");
}

/// read(2) of 64 KiB from a pipe of 64 KiB, in a loop.
measurement read_plainly(const workload& work) {
  pin(reader_cpu);
  measurement result;
  const stopwatch all;
  const auto child =
    spawn_plainly(flood, {std::to_string(work.bytes), writer_cpu()}, {.out = true});
  static char block[65536];
  ssize_t count = 0;
  while ((count = ::read(child.out.get(), block, sizeof block)) > 0)
    result.units += static_cast<double>(count);
  reap(child);
  result.seconds = all.seconds();
  expect_all(result.units, work.bytes);
  return result;
}

/// The observer sees the bytes on the host's thread and gives them back as credit at once.
measurement read_through_io(const workload& work, std::size_t window) {
  pin(reader_cpu); // the host's thread, made next, inherits it
  measurement result;
  std::promise<void> done;
  io::context host;
  const stopwatch all;
  host.start({.program = flood, .args = {std::to_string(work.bytes), writer_cpu()}},
             std::make_shared<counting_observer>(
               window, [&](std::size_t bytes) { result.units += static_cast<double>(bytes); },
               [&](const std::exception_ptr& error) {
                 error ? done.set_exception(error) : done.set_value();
               }));
  done.get_future().get();
  result.seconds = all.seconds();
  expect_all(result.units, work.bytes);
  return result;
}

/// The owner is an actor that takes each message and lets it go.
measurement read_through_actors(const workload& work, std::size_t window) {
  pin(reader_cpu);
  owner_task task;
  task.options.program = flood;
  task.options.args = {std::to_string(work.bytes), writer_cpu()};
  task.options.stdio_window = window;
  double bytes = 0;
  auto result = run_under_an_owner(task, &bytes);
  expect_all(bytes, work.bytes);
  return {.units = bytes, .seconds = result.seconds};
}

side through_actors(std::string name, std::size_t window) {
  return {std::move(name),
          [window](const workload& work) { return read_through_actors(work, window); }};
}

side through_io(std::string name, std::size_t window) {
  return {std::move(name),
          [window](const workload& work) { return read_through_io(work, window); }};
}

} // namespace

std::vector<subject> stdout_throughput() {
  return {{.name = "stdout_throughput",
           .what = "a child writes, its output is read and dropped; reader and writer on "
                   "processors of their own",
           .compared = quantity::megabytes_per_second,
           .full = {.bytes = 1ull << 30},
           .quick = {.bytes = 1ull << 26},
           .sides = {{"limit: read of 64 KiB", read_plainly},
                     through_io("penning::io, window 64 KiB", 1u << 16),
                     through_io("penning::io, window 1 MiB", 1u << 20),
                     through_actors("penning::actors, window 64 KiB", 1u << 16),
                     through_actors("penning::actors, window 1 MiB", 1u << 20)}}};
}

} // namespace penning::bench
