#pragma once

// Not installed: the duty of a runtime that is a child subreaper.

#include <penning/io/orphans.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>

namespace penning::io {

/// Reaps what the runtime adopts as it ends. All its calls belong to the thread of `io`; SIGCHLD is
/// blocked in every thread.
class orphan_reaper {
 public:
  /// `is_launching()`: whether a child may run that `is_ours(pid)` does not know yet.
  /// Throws `std::system_error`.
  orphan_reaper(boost::asio::io_context& io, std::function<bool()> is_launching,
                std::function<bool(pid_t)> is_ours);

  adopted_orphans& orphans() { return orphans_; }

  /// Kills whatever is adopted: what has hidden its mark goes with the last child.
  void kill_all();

 private:
  void await();
  void reap();

  boost::asio::io_context& io_;
  std::function<bool()> is_launching_;
  adopted_orphans orphans_;
  boost::asio::posix::stream_descriptor child_signals_;
};

} // namespace penning::io
