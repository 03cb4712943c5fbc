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

/// Each variable between two zeros.
std::string environment_of(pid_t pid) {
  std::ostringstream text;
  text << '\0' << std::ifstream("/proc/" + std::to_string(pid) + "/environ").rdbuf();
  return text.str();
}

/// Looks at one whose environment is empty. More often than any execve(2) takes: it is empty then.
constexpr int looks = 20;

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

/// Of the dead only we know, by reaping them, that it is they who died.
adopted_orphans::verdict adopted_orphans::judge(pid_t pid, const std::string& mark) {
  using enum verdict;
  siginfo_t info{};
  const auto id = static_cast<id_t>(pid);
  if (is_ours_(pid))
    return other;
  if (::waitid(P_PID, id, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
    return died;
  const bool is_dead = info.si_pid == pid;
  if ((is_dead || mark.empty()) && is_launching_())
    return unclear;
  if (is_dead)
    return ::waitid(P_PID, id, &info, WEXITED | WNOHANG), died;
  if (mark.empty())
    return wanted;
  const auto environment = environment_of(pid);
  if (environment.find('\0' + mark + '\0') != std::string::npos)
    return wanted;
  return environment.size() == 1 ? unclear : other;
}

/// As our children they keep their numbers until we reap them. One that has died has left us its
/// own children, perhaps since the list was made: then it is made anew.
std::vector<held_member> adopted_orphans::hold(const std::string& mark, std::error_code& error) {
  std::vector<held_member> result;
  bool has_died = false, is_unclear = false;
  for (pid_t pid : child_pids()) {
    if (result.size() == members_at_once)
      break;
    const auto what = judge(pid, mark);
    has_died = has_died || what == verdict::died;
    is_unclear = is_unclear || what == verdict::unclear;
    if (what != verdict::wanted)
      continue;
    if (auto pidfd = open_pidfd(pid))
      result.push_back({pid, std::move(pidfd)});
    else
      error.assign(errno, std::system_category());
  }
  if (!result.empty())
    return error.clear(), std::move(result);
  if (has_died && !error)
    return hold(mark, error);
  if (is_unclear && !error)
    error.assign(EAGAIN, std::system_category());
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
  unclear_ = error.value() == EAGAIN ? unclear_ + 1 : 0;
  if (members.empty() && (!error || unclear_ > looks))
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
