#include <penning/io/orphans.hpp>

#include <penning/io/pidfd.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace penning::io {
namespace {

namespace fs = std::filesystem;

constexpr const char* mark_name = "PENNING_OS_PROCESS";

/// Unreadable is as good as cleared.
std::string environment_of(pid_t pid) {
  std::ostringstream text;
  text << '\0' << std::ifstream("/proc/" + std::to_string(pid) + "/environ").rdbuf();
  return text.str();
}

bool has_mark(pid_t pid, const std::string& mark) {
  return mark.empty() || environment_of(pid).find('\0' + mark + '\0') != std::string::npos;
}

} // namespace

std::vector<pid_t> child_pids() {
  std::vector<pid_t> result;
  std::error_code gone;
  for (const auto& task : fs::directory_iterator("/proc/self/task", gone)) {
    std::ifstream list(task.path() / "children");
    for (pid_t pid = 0; list >> pid;)
      result.push_back(pid);
  }
  return result;
}

std::string adopted_orphans::next_mark() {
  static std::atomic<unsigned> last = 0;
  return std::string(mark_name) + "=" + std::to_string(::getpid()) + "." + std::to_string(++last);
}

/// As our children they keep their numbers until we reap them.
std::vector<held_member> adopted_orphans::hold(const std::string& mark, std::error_code& error) {
  std::vector<held_member> result;
  for (pid_t pid : child_pids()) {
    siginfo_t info{};
    if (is_ours_(pid) || ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) != 0
        || info.si_pid == pid || !has_mark(pid, mark))
      continue;
    if (result.size() == members_at_once)
      break;
    if (auto pidfd = open_pidfd(pid))
      result.push_back({pid, std::move(pidfd)});
    else
      error.assign(errno, std::system_category());
  }
  if (!result.empty())
    error.clear();
  return result;
}

void orphaned_descendants::kill() {
  killing_ = true;
  std::error_code error;
  for (const auto& member : all_.hold(mark_, error))
    signal_pidfd(member.pidfd.get(), SIGKILL);
}

/// The children of one that dies are adopted before its end is told: so none is missed.
void orphaned_descendants::when_gone(std::function<void()> f) {
  std::error_code error;
  auto members = all_.hold(mark_, error);
  if (members.empty() && !error)
    return f();
  auto again = [this, f = std::move(f)] { when_gone(f); };
  if (error)
    return a_moment_later(all_.io(), std::move(again));
  if (killing_)
    for (const auto& member : members)
      signal_pidfd(member.pidfd.get(), SIGKILL);
  when_dead(all_.io(), std::move(members), std::move(again));
}

} // namespace penning::io
