#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

namespace penning::actors {

/// What the threads of a scheduler take their jobs from, first come, first served.
///
/// To wake a thread costs more than most jobs do. So a thread that pushes one job while it runs
/// another wakes nobody: it will soon be back and take it. It might not be back soon; therefore one
/// idle thread looks into the queue every now and then for as long as such jobs come. A second job,
/// and one that comes from elsewhere, wakes a thread at once, unless one is on its way already: who
/// was woken wakes the next, if there is more to do.
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
    ++announced_;
    wake_one(lock);
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
    announced_ = std::min(announced_, jobs_.size());
    // Who was woken wakes the next one for what is left. And it may be the one who watched that
    // leaves here: let another watch.
    if (announced_ > 0 || (!jobs_.empty() && !watched_))
      wake_one(lock);
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

  /// Wakes a thread, unless one is on its way already. May unlock: under the lock it would wake
  /// only to wait for that. Then it may take the last job, after which the queue may go away.
  void wake_one(std::unique_lock<std::mutex>& lock) {
    if (asleep_ == 0 || std::exchange(waking_, true))
      return;
    const auto changed = changed_;
    lock.unlock();
    changed->notify_one();
  }

  /// Until there may be a job. One idle thread watches while others are busy; the rest, and all
  /// when everything is quiet, wait to be woken.
  void wait(std::unique_lock<std::mutex>& lock) {
    if (!watched_ && busy_ != 0)
      watch(lock);
    if (jobs_.empty())
      sleep([&] { changed_->wait(lock); });
  }

  void watch(std::unique_lock<std::mutex>& lock) {
    watched_ = true;
    for (int vain = 0; jobs_.empty() && busy_ != 0 && vain < looks_in_vain; ++vain) {
      const auto before = unannounced_;
      sleep([&] { changed_->wait_for(lock, patience); });
      if (unannounced_ != before)
        vain = 0;
    }
    watched_ = false;
  }

  /// However it ends, whoever was to be woken looks into the queue now, or another does for him.
  template <class Wait>
  void sleep(Wait wait) {
    ++asleep_;
    wait();
    --asleep_;
    waking_ = false;
  }

  std::mutex mutex_;
  const std::shared_ptr<std::condition_variable> changed_ =
    std::make_shared<std::condition_variable>();
  std::deque<Job> jobs_;
  std::size_t busy_ = 0; // threads that run a job
  std::size_t asleep_ = 0;
  bool waking_ = false;         // one of those, and it has not looked yet
  std::size_t announced_ = 0;   // jobs, at most, that want a thread to be woken
  std::size_t unannounced_ = 0; // jobs for which nobody was woken, so far
  bool watched_ = false;        // an idle thread looks into the queue every `patience`
};

} // namespace penning::actors
