#include <penning/io/launch_threads.hpp>

#include <cerrno>
#include <new>
#include <utility>

namespace penning::io {

void launch_threads::run(std::size_t count) {
  while (threads_.size() < count)
    threads_.emplace_back([this] { work(); });
}

void launch_threads::push(launch_job job) {
  {
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
}

void launch_threads::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_)
    thread.join();
  threads_.clear();
}

void launch_threads::work() {
  clone_launcher launcher;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_)
      return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    auto child = launch(job, launcher, around_);
    tell_(std::move(job), std::move(child));
    lock.lock();
  }
}

} // namespace penning::io
