#include <penning/io/orphan_reaper.hpp>

#include <penning/io/unique_fd.hpp>

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

namespace penning::io {

namespace {

unique_fd child_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  unique_fd signals(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals)
    throw std::system_error(errno, std::system_category(), "signalfd");
  return signals;
}

} // namespace

orphan_reaper::orphan_reaper(boost::asio::io_context& io, std::function<bool()> is_launching,
                             std::function<bool(pid_t)> is_ours)
    : io_(io),
      is_launching_(is_launching),
      orphans_(io, std::move(is_launching), std::move(is_ours)),
      child_signals_(io, child_signals().release()) {
  await();
}

void orphan_reaper::await() {
  child_signals_.async_wait(child_signals_.wait_read, [this](auto aborted) {
    signalfd_siginfo information;
    if (aborted)
      return;
    while (::read(child_signals_.native_handle(), &information, sizeof information) > 0) {
    }
    reap();
    await();
  });
}

/// Once more when nothing is being launched, as long as it is not clear who is adopted.
void orphan_reaper::reap() {
  if (is_launching_())
    return a_moment_later(io_, [this] { reap(); });
  std::error_code error;
  orphans_.hold(" ", error); // a mark that nobody has
}

void orphan_reaper::kill_all() {
  std::error_code error;
  for (const auto& member : orphans_.hold("", error))
    signal_pidfd(member.pidfd.get(), SIGKILL);
}

} // namespace penning::io
