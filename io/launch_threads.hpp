#pragma once

#include <penning/io/launch.hpp>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace penning::io {

/// Threads that launch, since a launch waits until the kernel has opened the program: meanwhile the
/// context serves its children. They are the children's parents as far as PR_SET_PDEATHSIG goes,
/// and end only with this. Thread safe.
class launch_threads {
 public:
  /// Called on one of the threads; must not throw.
  using launched = std::function<void(launch_job, launched_child)>;

  /// What `around` names outlives this.
  launch_threads(launch_surroundings around, launched tell)
      : around_(around),
        tell_(std::move(tell)) {}
  ~launch_threads() { stop(); }
  launch_threads(const launch_threads&) = delete;
  launch_threads& operator=(const launch_threads&) = delete;

  /// Starts the threads, which inherit the mask of the caller. Throws `std::system_error`.
  void run(std::size_t count);

  void push(launch_job job);

  /// Waits for what is under way; drops what has not begun.
  void stop();

 private:
  void work();

  launch_surroundings around_;
  launched tell_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<launch_job> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

} // namespace penning::io
