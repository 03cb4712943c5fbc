#include <penning/io/adopted.hpp>

#include <penning/io/pidfd.hpp>
#include <penning/io/process_group.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <fcntl.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <utility>

namespace penning::io {
namespace {

std::error_code error_of(int number) {
  return {number, std::system_category()};
}

/// Of a child of ours, which is left to whoever reaps it; WNOHANG, for it may be traced.
std::optional<exit_status> status_of(int pidfd) {
  siginfo_t info{};
  const auto id = static_cast<id_t>(pidfd);
  if (::waitid(P_PIDFD, id, &info, WEXITED | WNOWAIT | WNOHANG) != 0 || info.si_pid == 0)
    return {};
  const auto how =
    info.si_code == CLD_EXITED ? exit_status::kind::status : exit_status::kind::signal;
  return exit_status{how, info.si_status, info.si_code == CLD_DUMPED};
}

} // namespace

// The pidfd comes first. As long as its process is not reaped the number is its own, so what /proc
// said under that number before is about this process and no other.
std::shared_ptr<adopted> adopted::hold(boost::asio::io_context& io, pid_t pid,
                                       std::optional<std::uint64_t> start, std::error_code& error) {
  auto pidfd = open_pidfd(pid);
  unique_fd copy(pidfd ? ::fcntl(pidfd.get(), F_DUPFD_CLOEXEC, 0) : -1);
  if (!copy) {
    error = error_of(errno);
    return nullptr;
  }
  const auto stat = stat_of(pid);
  const bool is_unreaped = signal_pidfd(pidfd.get(), 0) == 0 || errno == EPERM;
  if (!stat || !is_unreaped || (start && *start != stat->start)) {
    error = error_of(ESRCH);
    return nullptr;
  }
  return std::make_shared<adopted>(io, pid, stat->start, std::move(pidfd), std::move(copy));
}

adopted::adopted(boost::asio::io_context& io, pid_t pid, std::uint64_t start, unique_fd pidfd,
                 unique_fd copy)
    : io_(io),
      pid_(pid),
      start_(start),
      pidfd_(std::move(pidfd)),
      copy_(std::move(copy)),
      watch_(io) {}

void adopted::watch(end_handler on_end) {
  {
    std::lock_guard lock(mutex_);
    on_end_ = std::move(on_end);
  }
  boost::asio::post(io_, [self = shared_from_this()] { self->begin(); });
}

void adopted::begin() {
  if (!watch_.open(copy_))
    return watch_.wait([self = shared_from_this()] { self->died(); });
  auto timer = std::make_shared<boost::asio::steady_timer>(io_, std::chrono::milliseconds(100));
  timer->async_wait([timer, self = shared_from_this()](auto aborted) {
    if (!aborted)
      self->begin();
  });
}

void adopted::died() {
  watch_.close();
  end_handler on_end;
  {
    std::lock_guard lock(mutex_);
    on_end = std::exchange(on_end_, nullptr);
  }
  if (on_end)
    on_end(status_of(pidfd_.get()));
}

void adopted::let_go() {
  {
    std::lock_guard lock(mutex_);
    on_end_ = nullptr;
  }
  boost::asio::post(io_, [self = shared_from_this()] { self->watch_.close(); });
}

std::error_code adopted::signal(int number) const {
  return signal_pidfd(pidfd_.get(), number) == 0 ? std::error_code{} : error_of(errno);
}

} // namespace penning::io
