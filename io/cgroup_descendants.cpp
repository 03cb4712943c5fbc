#include <penning/io/cgroup_descendants.hpp>

#include <penning/io/cgroup_files.hpp>
#include <penning/io/pidfd.hpp>

#include <csignal>
#include <fcntl.h>
#include <utility>

namespace penning::io {

void cgroup_descendants::kill() {
  killing_ = true;
  version_ == 2 ? kill_unified() : kill_one_by_one();
}

/// In nearly every case nobody is left. Once that is so, nobody comes: only from inside one could.
void cgroup_descendants::kill_unified() {
  if (files_ != nullptr && files_->kept)
    return kill_unified(files_->directory.get(), reread(files_->events.get()));
  const auto directory = open_directory(path_);
  kill_unified(directory.get(), read_file(directory.get(), "cgroup.events"));
}

void cgroup_descendants::kill_unified(int directory, const std::optional<std::string>& events) {
  empty_ = says_empty(events);
  if (empty_)
    return;
  killed_ = true;
  write_file(directory, "cgroup.kill", "1");
}

void cgroup_descendants::kill_one_by_one() {
  std::error_code error;
  empty_ = hold_all(error).empty() && !error;
}

/// As many as fit. To be killed, nobody forks any more before the first is: what `pids` refuses or
/// the freezer holds.
std::vector<held_member> cgroup_descendants::hold_all(std::error_code& error) {
  auto members = hold_processes(path_, members_at_once, error);
  if (!killing_ || (members.empty() && !error))
    return members;
  killed_ = true;
  auto directory = open_directory(path_);
  write_file(directory.get(), "pids.max", "0"); // each where there is such a file
  write_file(directory.get(), "freezer.state", "FROZEN");
  members = hold_processes(path_, members_at_once, error);
  for (const auto& member : members)
    signal_pidfd(member.pidfd.get(), SIGKILL);
  write_file(directory.get(), "freezer.state", "THAWED");
  return members;
}

void cgroup_descendants::when_gone(std::function<void()> f) {
  if (empty_)
    return f();
  version_ == 2 ? when_empty(std::move(f)) : when_all_dead(std::move(f));
}

/// The kernel announces each change of cgroup.events as an exceptional condition, see poll(2).
void cgroup_descendants::when_empty(std::function<void()> f) {
  boost::system::error_code no_watch;
  if (!watch_.is_open()) {
    unique_fd events(::open((path_ + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC));
    if (!events && errno == ENOENT)
      return f(); // removed by somebody else: it was empty
    if (events)
      watch_.assign(events.get(), no_watch);
    if (!events || no_watch)
      return a_moment_later(io_, [this, f = std::move(f)] { when_empty(f); });
    events.release();
  }
  const auto events = reread(watch_.native_handle());
  if (!events || says_empty(events)) { // or it is gone
    watch_.close(no_watch);
    return f();
  }
  watch_.async_wait(watch_.wait_error, [this, f = std::move(f)](auto aborted) {
    if (!aborted)
      when_empty(f);
  });
}

void cgroup_descendants::when_all_dead(std::function<void()> f) {
  std::error_code error;
  auto members = hold_all(error);
  if (members.empty() && !error)
    return f();
  auto again = [this, f = std::move(f)] { when_all_dead(f); };
  if (error)
    return a_moment_later(io_, std::move(again));
  when_dead(io_, std::move(members), std::move(again));
}

} // namespace penning::io
