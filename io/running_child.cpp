#include <penning/io/running_child.hpp>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <deque>
#include <utility>

namespace penning::io {
namespace {

constexpr std::size_t members_at_once = 64;

std::chrono::microseconds duration(const timeval& t) {
  return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
}

/// waitid(2) as the kernel has it: with the usage, which the C library's function leaves out.
int wait_pidfd(int pidfd, siginfo_t& info, int options, rusage* usage) {
  long result;
  do
    result = ::syscall(SYS_waitid, P_PIDFD, pidfd, &info, options, usage);
  while (result != 0 && errno == EINTR);
  return static_cast<int>(result);
}

exit_status status_of(const siginfo_t& info) {
  auto how = info.si_code == CLD_EXITED ? exit_status::kind::status : exit_status::kind::signal;
  return {how, info.si_status, info.si_code == CLD_DUMPED};
}

} // namespace

running_child::running_child(child_surroundings& around, std::shared_ptr<child_observer> observer)
    : around_(around),
      observer_(std::move(observer)),
      watch_(around.io),
      input_(around.io, *this),
      out_(around.io, around.buffer, output::out, *this),
      err_(around.io, around.buffer, output::err, *this) {}

std::error_code running_child::begin(launched_process process, stdio_pipes pipes) {
  pid_ = process.pid;
  input_.open(std::move(pipes.in.ours));
  out_.open(std::move(pipes.out.ours));
  err_.open(std::move(pipes.err.ours));
  if (auto error = watch_.open(process.pidfd)) { // nobody would ever hear of its end
    siginfo_t info{};
    ::kill(-pid_, SIGKILL);
    around_.before_reaping(pid_);
    wait_pidfd(process.pidfd.get(), info, WEXITED, nullptr);
    return error;
  }
  reaped_ = ended_ = false;
  watch_.wait([this, alive = shared_from_this()] { died(); });
  return {};
}

void running_child::grant(output stream, std::size_t bytes) {
  (stream == output::out ? out_ : err_).grant(bytes);
}

void running_child::signal(int number, signal_target target) {
  if (reaped_)
    return;
  if (target == signal_target::group)
    ::kill(-pid_, number);
  else
    signal_pidfd(watch_.get(), number);
}

void running_child::received(output stream, std::vector<char> bytes) {
  observer_->on_output(stream, std::move(bytes));
}
void running_child::reached_end(output stream) {
  observer_->on_output_closed(stream);
}
void running_child::written(std::size_t bytes) {
  observer_->on_written(bytes);
}
void running_child::stdin_failed(std::error_code reason) {
  observer_->on_stdin_closed(reason);
}

void running_child::died() {
  siginfo_t info{};
  if (wait_pidfd(watch_.get(), info, WEXITED | WNOWAIT, nullptr) == 0) {
    end_.status = status_of(info);
    ::kill(-pid_, SIGKILL); // what it left behind: safe, as the zombie holds the number
  } else if (errno == EAGAIN) {
    return later([this] { died(); }); // dead, but a tracer (strace -f, say) has to let go of it
  } else {
    end_.status = {exit_status::kind::signal, 0, false}; // ECHILD: somebody else reaped it
  }
  end_.pid = pid_;
  input_.close();
  out_.drain();
  err_.drain();
  around_.before_reaping(pid_);
  reap();
  await_group();
}

void running_child::reap() {
  siginfo_t info{};
  rusage usage{};
  if (wait_pidfd(watch_.get(), info, WEXITED, &usage) == 0)
    end_.usage = {duration(usage.ru_utime), duration(usage.ru_stime), usage.ru_maxrss};
  reaped_ = true;
  reaped_at_ = ticks_since_boot();
  watch_.close();
}

/// The number of a group is not given to another process while the group has members; so ESRCH, the
/// answer in nearly every case, is final. Signal 0 only asks, see kill(2).
void running_child::await_group() {
  if (::kill(-pid_, 0) != 0 && errno == ESRCH)
    return end();
  std::error_code error;
  auto members = living_members(pid_, reaped_at_, members_at_once, error);
  if (error) // no descriptor for /proc or for a member
    return later([this] { await_group(); });
  if (members.empty())
    return end(); // zombies that their own parent has not reaped, or a group that is not ours
  await(std::move(members));
}

/// Waits for all of them by one counter, then looks again: there may be more than fit at once.
void running_child::await(std::vector<held_member> members) {
  struct round {
    std::deque<death_watch> watches;
    std::size_t left = 0;
  };
  auto all = std::make_shared<round>();
  for (auto& member : members) {
    // They have the group's signal already, unless the leader was reaped by another.
    signal_pidfd(member.pidfd.get(), SIGKILL);
    auto& watch = all->watches.emplace_back(around_.io);
    if (watch.open(member.pidfd))
      continue;
    ++all->left;
    watch.wait([this, all, alive = shared_from_this()] {
      if (--all->left == 0)
        await_group();
    });
  }
  if (all->left == 0)
    later([this] { await_group(); });
}

/// For the few cases that no descriptor can announce.
void running_child::later(std::function<void()> step) {
  auto timer =
    std::make_shared<boost::asio::steady_timer>(around_.io, std::chrono::milliseconds(5));
  timer->async_wait([step = std::move(step), timer, alive = shared_from_this()](auto aborted) {
    if (!aborted)
      step();
  });
}

void running_child::end() {
  ended_ = true;
  around_.after_end(pid_);
  auto observer = std::exchange(observer_, nullptr); // may hold the handle that holds this
  observer->on_end(end_);
}

} // namespace penning::io
