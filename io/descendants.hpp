#pragma once

#include <penning/io/death_watch.hpp>
#include <penning/io/process_group.hpp>

#include <boost/asio/io_context.hpp>

#include <functional>
#include <vector>

namespace penning::io {

/// What a child leaves behind when it ends, by one way of knowing it. On the context's thread.
class descendants {
 public:
  virtual ~descendants() = default;

  /// SIGKILL for each that lives; from then on for each that is found while one waits.
  virtual void kill() = 0;

  /// The leader has been reaped: its number is ours only as long as its group has members.
  virtual void leader_reaped() {}

  /// Calls `f` once none lives, at once if it is so by now. Not again before that. What `f` holds
  /// keeps this alive.
  virtual void when_gone(std::function<void()> f) = 0;
};

/// As many as are held by a pidfd at a time; there may be more.
inline constexpr std::size_t members_at_once = 64;

/// Calls `f` once all of them are dead, and after a moment if none could be watched.
void when_dead(boost::asio::io_context& io, std::vector<held_member> members,
               std::function<void()> f);

/// For the few cases that no descriptor can announce.
void a_moment_later(boost::asio::io_context& io, std::function<void()> f);

/// The process group of a child.
class group_descendants final : public descendants {
 public:
  explicit group_descendants(boost::asio::io_context& io) : io_(io) {}

  /// The number of the group is that of its leader.
  void open(pid_t group) { group_ = group; }

  void kill() override;
  void leader_reaped() override;
  void when_gone(std::function<void()> f) override;

 private:
  boost::asio::io_context& io_;
  pid_t group_ = 0;
  bool killing_ = false;
  std::uint64_t reaped_at_ = 0; // clock ticks; 0: not yet
};

} // namespace penning::io
