#include <penning/io/descendants.hpp>

#include <boost/asio/steady_timer.hpp>

#include <cerrno>
#include <csignal>
#include <deque>
#include <memory>
#include <utility>

namespace penning::io {

void a_moment_later(boost::asio::io_context& io, std::function<void()> f) {
  auto timer = std::make_shared<boost::asio::steady_timer>(io, std::chrono::milliseconds(5));
  timer->async_wait([f = std::move(f), timer](auto aborted) {
    if (!aborted)
      f();
  });
}

void when_dead(boost::asio::io_context& io, std::vector<held_member> members,
               std::function<void()> f) {
  struct round {
    std::deque<death_watch> watches;
    std::function<void()> done;
    std::size_t left = 0;
  };
  auto all = std::make_shared<round>();
  all->done = std::move(f);
  for (auto& member : members) {
    auto& watch = all->watches.emplace_back(io);
    if (watch.open(member.pidfd))
      continue;
    ++all->left;
    watch.wait([all] {
      if (--all->left == 0)
        all->done();
    });
  }
  if (all->left == 0)
    a_moment_later(io, std::move(all->done));
}

/// The zombie holds the number of the group; without it they are found and held one by one.
void group_descendants::kill() {
  killing_ = true;
  if (reaped_at_ == 0)
    ::kill(-group_, SIGKILL);
}

void group_descendants::leader_reaped() {
  if (reaped_at_ == 0)
    reaped_at_ = ticks_since_boot();
}

/// The number of a group is not given to another process while the group has members; so ESRCH, the
/// answer in nearly every case, is final. Signal 0 only asks, see kill(2).
void group_descendants::when_gone(std::function<void()> f) {
  if (::kill(-group_, 0) != 0 && errno == ESRCH)
    return f();
  std::error_code error;
  auto members = living_members(group_, reaped_at_, members_at_once, error);
  if (members.empty() && !error)
    return f(); // zombies that their own parent has not reaped, or a group that is not ours
  auto again = [this, f = std::move(f)] { when_gone(f); };
  if (error) // no descriptor for /proc or for a member
    return a_moment_later(io_, std::move(again));
  if (killing_) // they have the group's signal already, unless the leader was reaped by another
    for (auto& member : members)
      signal_pidfd(member.pidfd.get(), SIGKILL);
  when_dead(io_, std::move(members), std::move(again));
}

} // namespace penning::io
