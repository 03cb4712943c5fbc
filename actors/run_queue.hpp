#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>

namespace penning::actors {

/// What the threads of a scheduler take their jobs from, first come, first served.
///
/// To wake a thread costs more than most jobs do. So a thread that pushes one job while it runs
/// another wakes nobody: it will soon be back and take it. It might not be back soon; therefore one
/// idle thread looks into the queue every now and then for as long as such jobs come. A second job,
/// and one that comes from elsewhere, wakes a thread at once.
///
/// `Job` is copied and moved without throwing; a pointer as a rule.
template <class Job>
class run_queue {
 public:
  /// How long a job may wait for the thread that pushed it, while another has nothing to do.
  static constexpr std::chrono::milliseconds patience{1};

  /// One of the threads that take jobs.
  struct worker {
    bool busy = false;     // runs what it took
    bool expected = false; // has pushed a job for which nobody was woken
  };

  /// `self` is who pushes, or null if that is none of the threads that take jobs.
  void push(Job job, worker* self) {
    std::unique_lock lock{mutex_};
    jobs_.push_back(std::move(job));
    if (self && !self->expected && watched_) {
      self->expected = true;
      ++unannounced_;
      return;
    }
    if (self) // else the lock keeps the queue from going away with its last job
      lock.unlock();
    changed_.notify_one();
  }

  /// Waits for a job.
  Job pop(worker& self) {
    std::unique_lock lock{mutex_};
    busy_ -= self.busy ? 1 : 0;
    self = {};
    while (jobs_.empty())
      wait(lock);
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    self.busy = true;
    ++busy_;
    // It may be the one who watched that leaves here: let another have the rest, and watch.
    const bool rest = !jobs_.empty() && !watched_;
    lock.unlock();
    if (rest)
      changed_.notify_one();
    return job;
  }

  /// What has not been taken, to be called when nobody takes jobs any more.
  std::deque<Job> take_rest() {
    const std::lock_guard lock{mutex_};
    return std::exchange(jobs_, {});
  }

 private:
  /// Looks of the thread that watches at a queue of which it hears nothing.
  static constexpr int looks_in_vain = 10;

  /// Until there may be a job. One idle thread watches while others are busy; the rest, and all
  /// when everything is quiet, wait to be woken.
  void wait(std::unique_lock<std::mutex>& lock) {
    if (watched_ || busy_ == 0) {
      changed_.wait(lock);
      return;
    }
    watched_ = true;
    for (int vain = 0; jobs_.empty() && busy_ != 0 && vain < looks_in_vain; ++vain) {
      const auto before = unannounced_;
      changed_.wait_for(lock, patience);
      if (unannounced_ != before)
        vain = 0;
    }
    watched_ = false;
    if (jobs_.empty())
      changed_.wait(lock);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::size_t busy_ = 0;        // threads that run a job
  std::size_t unannounced_ = 0; // jobs for which nobody was woken, so far
  bool watched_ = false;        // an idle thread looks into the queue every `patience`
};

} // namespace penning::actors
