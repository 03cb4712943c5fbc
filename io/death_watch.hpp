#pragma once

#include <penning/io/pidfd.hpp>
#include <penning/io/watched_descriptor.hpp>

#include <system_error>
#include <utility>

namespace penning::io {

/// Owns a pidfd and tells when its process is dead.
///
/// Looks once more when Asio says "readable": an event of the previous descriptor that had the same
/// slot in the reactor, queued when that one was closed, can end a wait too early.
class death_watch {
 public:
  explicit death_watch(boost::asio::io_context& io) : pidfd_(io) {}

  bool is_open() const noexcept { return pidfd_.is_open(); }
  int get() noexcept { return pidfd_.native_handle(); }

  /// Errors: ENOMEM or ENOSPC of epoll_ctl(2); `pidfd` is left to the caller then. From here on the
  /// descriptor is non-blocking, for waitid(2) too.
  std::error_code open(unique_fd& pidfd) {
    boost::system::error_code error;
    pidfd_.assign(pidfd.get(), error);
    if (!error)
      pidfd.release();
    return error;
  }

  /// Calls `f` once, unless this is closed before. What `f` holds must keep this alive.
  template <class Function>
  void wait(Function f) {
    pidfd_.async_wait(pidfd_.wait_read,
                      [this, f = std::move(f), n = opened_](auto aborted) mutable {
                        if (aborted || n != opened_)
                          return;
                        is_dead(get()) ? f() : wait(std::move(f));
                      });
  }

  /// Gives the descriptor back.
  unique_fd close() {
    ++opened_;
    return unique_fd(pidfd_.is_open() ? pidfd_.release() : -1);
  }

 private:
  watched_descriptor pidfd_;
  unsigned opened_ = 0;
};

} // namespace penning::io
