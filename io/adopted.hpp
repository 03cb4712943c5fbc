#pragma once

#include <penning/io/death_watch.hpp>
#include <penning/io/exit_status.hpp>
#include <penning/io/unique_fd.hpp>

#include <boost/asio/io_context.hpp>

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>

namespace penning::io {

/// A process that something else has started, held by a pidfd: whatever becomes of its number, no
/// other process is ever watched or signalled in its place. Nothing is waited for that is not ours:
/// it is not reaped, and neither its group nor its descendants are touched.
/// Thread safe.
class adopted : public std::enable_shared_from_this<adopted> {
 public:
  /// How it ended, if that can be known: only the status of a child of this process that nobody has
  /// reaped yet. Called on the thread of `io`; must not block nor throw.
  using end_handler = std::function<void(std::optional<exit_status>)>;

  /// Holds the process that has this pid, if it is the one that started at `start` (ticks since the
  /// boot, field 22 of /proc/PID/stat), or whichever has it now.
  /// Errors: ESRCH if there is none or it is another one, else those of pidfd_open(2) and fcntl(2).
  static std::shared_ptr<adopted> hold(boost::asio::io_context& io, pid_t pid,
                                       std::optional<std::uint64_t> start, std::error_code& error);

  adopted(boost::asio::io_context& io, pid_t pid, std::uint64_t start, unique_fd pidfd,
          unique_fd copy);

  pid_t pid() const noexcept { return pid_; }
  std::uint64_t start() const noexcept { return start_; }

  /// Calls `on_end` once it is dead, a zombie too, unless it has been let go before. To be called
  /// once. Where epoll has no memory for it (ENOMEM, ENOSPC) that is tried again.
  void watch(end_handler on_end);

  /// No end is told after this.
  void let_go();

  /// Errors: ESRCH after its end, EPERM; see pidfd_send_signal(2).
  std::error_code signal(int number) const;

 private:
  void begin();
  void died();

  boost::asio::io_context& io_;
  pid_t pid_;
  std::uint64_t start_;
  const unique_fd pidfd_;
  unique_fd copy_; // for the watch; both on the thread of `io_` only
  death_watch watch_;
  std::mutex mutex_;
  end_handler on_end_;
};

} // namespace penning::io
