#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

/// Compares ours with the limit of the machine: a plain program that does the same and nothing
/// else. Both run in turn within one run of the harness, so they meet the same machine.
namespace penning::bench {

/// How much of it to do.
struct workload {
  std::uint64_t operations = 0;      ///< of a latency subject
  std::uint64_t bytes = 0;           ///< of a throughput subject; of memory that is held meanwhile
  std::chrono::milliseconds idle{0}; ///< of a subject that looks at what happens when nothing does
};

/// What one run of one side has measured.
struct measurement {
  double units = 0;                   ///< operations, or bytes
  double seconds = 0;                 ///< that they took, by the wall clock
  double bytes = 0;                   ///< of memory that the units take, where that is asked for
  double busy = 0;                    ///< seconds of processor time, where that is asked for
  double share = 0;                   ///< percent of the mean that the slowest had, likewise
  std::vector<double> latencies = {}; ///< of each operation, in microseconds; may be empty
};

/// What is compared, and which way is better.
enum class quantity : std::uint8_t {
  microseconds_per_operation, ///< less is better
  megabytes_per_second,       ///< more is better
  bytes_per_item,             ///< less is better
  percent_of_a_processor,     ///< less is better
  percent_of_the_mean,        ///< what the slowest has; more is better
};

/// One way to do the work. `run` is called in a process of its own, once per round: its processor
/// time, and that of the children it reaps, is counted there. It throws when it cannot do the work.
struct side {
  std::string name;
  std::function<measurement(const workload&)> run;
};

/// Something worth measuring. The first side is the limit, the others are ours.
struct subject {
  std::string name;
  std::string what; ///< one line: the conditions, and where threads are pinned
  quantity compared = quantity::microseconds_per_operation;
  workload full;                                     ///< per round
  workload quick;                                    ///< with --quick
  int most_rounds = std::numeric_limits<int>::max(); ///< where a round takes long
  std::vector<side> sides;
};

/// All rounds of one side. Index i of each vector is round i.
struct side_result {
  std::string name;
  std::vector<double> values;    ///< in the subject's quantity
  std::vector<double> ratios;    ///< to the limit in the same round
  std::vector<double> cpu;       ///< microseconds of processor time per operation, or per megabyte
  std::vector<double> latencies; ///< of all rounds, in microseconds
  long max_rss_kib = 0;
};

struct subject_result {
  std::string name;
  std::string what;
  quantity compared;
  std::vector<side_result> sides;
};

/// Runs every side of `what` once per round, in an order that turns around each time (A B, B A,
/// ...). Throws `std::runtime_error` with the reason when a side fails.
subject_result run(const subject& what, bool quick, int rounds);

/// Time since it was made, by the monotonic clock.
class stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(clock::now() - start_).count(); }
  double microseconds() const { return seconds() * 1e6; }

 private:
  using clock = std::chrono::steady_clock;
  clock::time_point start_ = clock::now();
};

/// Lets the calling thread, and what it starts from now on, run on one processor only.
void pin(unsigned cpu);

} // namespace penning::bench
