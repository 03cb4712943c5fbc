#include <penning/io/running_child.hpp>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <utility>

namespace penning::io {
namespace {

constexpr std::size_t descendant_kinds = 5;

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
      err_(around.io, around.buffer, output::err, *this),
      group_(around.io) {}

std::error_code running_child::begin(launched_child& child) {
  if (auto error = watch_.open(child.process.pidfd))
    return error; // nobody would ever hear of its end
  pid_ = child.process.pid;
  group_.open(pid_);
  open(std::move(child.pipes));
  contain(child);
  reaped_ = ended_ = false;
  watch_.wait([this, alive = shared_from_this()] { died(); });
  return {};
}

void running_child::contain(launched_child& child) {
  cgroup_ = std::move(child.group);
  contained_by_ = child.contained_by;
  keeps_orphans_ = child.orphans == orphan_policy::keep;
  if (around_.adopted != nullptr)
    adopted_ = std::make_unique<orphaned_descendants>(*around_.adopted, std::move(child.mark));
  for (const auto& directory : child.limits.directories())
    limit_paths_.push_back(directory.path);
  if (!child.limits.empty())
    in_limits_ = std::make_unique<limited_descendants>(around_.io, std::move(child.limits),
                                                       around_.after_removal);
  if (child.space)
    in_namespace_ = std::make_unique<namespace_descendants>(around_.io, std::move(*child.space));
}

void running_child::open(stdio_pipes pipes) {
  terminal_ = std::move(pipes.terminal.control);
  if (terminal_) {
    input_.open(std::move(pipes.terminal.input), input_end::character);
    out_.open(std::move(pipes.terminal.output));
  } else {
    input_.open(std::move(pipes.in.ours), input_end::closing);
    out_.open(std::move(pipes.out.ours));
    err_.open(std::move(pipes.err.ours));
  }
}

void running_child::grant(output stream, std::size_t bytes) {
  (stream == output::out ? out_ : err_).grant(bytes);
}

void running_child::resize(const window_size& size) {
  if (terminal_)
    resize_terminal(terminal_.get(), size);
}

void running_child::hang_up() {
  if (!terminal_)
    return;
  terminal_.reset();
  input_.fail(EIO);
  if (!out_.is_open())
    return;
  out_.drain();
  reached_end(output::out);
}

void running_child::signal(int number, signal_target target) {
  if (reaped_)
    return;
  if (target == signal_target::leader)
    signal_pidfd(watch_.get(), number);
  else if (leader_dead_ && number == SIGKILL)
    kill_descendants();
  else
    ::kill(-pid_, number);
}

/// What was read of a control group that may be another child's by now is not told.
cgroup_statistics running_child::statistics() const {
  cgroup_statistics result;
  if (ended_) // the context may be gone with it, where a handle lives longer
    return result;
  for (const auto& path : limit_paths_)
    result = either(result, read_statistics(path));
  if (cgroup_) {
    auto now = read_statistics(around_.groups.path(cgroup_));
    result = either(result, cgroup_.is_new ? now : since(cgroup_.before, now));
  }
  return ended_ ? cgroup_statistics{} : result;
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

/// In this order: what the kernel knows for certain last.
descendants* running_child::descendants_of(std::size_t kind) {
  descendants* all[] = {&group_, adopted_.get(), in_cgroup_.get(), in_limits_.get(),
                        in_namespace_.get()};
  return all[kind];
}

void running_child::died() {
  if (!learn_status()) // a tracer (strace -f, say) has to let go of it
    return a_moment_later(around_.io, [this, alive = shared_from_this()] { died(); });
  leader_dead_ = true;
  if (cgroup_)
    in_cgroup_ = std::make_unique<cgroup_descendants>(around_.io, around_.groups.path(cgroup_),
                                                      around_.groups.version(), &cgroup_.files);
  end_.usage.oom_killed = in_limits_ && in_limits_->oom_killed();
  input_.close();
  if (keeps_orphans_) {
    observer_->on_leader_end(end_);
    return await_descendants(0);
  }
  kill_descendants();
  finish();
  await_descendants(0);
}

/// How it ended, and what it used; it stays a zombie, which holds its number.
bool running_child::learn_status() {
  siginfo_t info{};
  rusage usage{};
  end_.pid = pid_;
  if (wait_pidfd(watch_.get(), info, WEXITED | WNOWAIT, &usage) == 0) {
    end_.status = status_of(info);
    end_.usage = {.user = duration(usage.ru_utime),
                  .system = duration(usage.ru_stime),
                  .max_rss_kib = usage.ru_maxrss};
    return true;
  }
  if (errno == EAGAIN)
    return false;
  end_.status = {exit_status::kind::signal, 0, false}; // ECHILD: somebody else reaped it
  group_.leader_reaped();
  return true;
}

void running_child::kill_descendants() {
  for (std::size_t kind = 0; kind < descendant_kinds; ++kind)
    if (auto* left = descendants_of(kind))
      left->kill();
}

void running_child::finish() {
  out_.drain();
  err_.drain();
  terminal_.reset();
  around_.before_reaping(pid_);
  reap();
}

void running_child::reap() {
  siginfo_t info{};
  wait_pidfd(watch_.get(), info, WEXITED, nullptr);
  reaped_ = true;
  group_.leader_reaped();
  watch_.close();
}

void running_child::await_descendants(std::size_t next) {
  if (next == descendant_kinds)
    return end();
  auto* left = descendants_of(next);
  if (left == nullptr)
    return await_descendants(next + 1);
  left->when_gone([this, next, alive = shared_from_this()] { await_descendants(next + 1); });
}

void running_child::end() {
  if (!reaped_)
    finish();
  end_.usage.oom_killed = in_limits_ && in_limits_->oom_killed();
  ended_ = true;
  if (in_cgroup_)
    around_.groups.release({cgroup_.number, std::move(cgroup_.files)}, !in_cgroup_->was_killed());
  around_.after_end(*this);
  auto observer = std::exchange(observer_, nullptr); // may hold the handle that holds this
  observer->on_end(end_);
}

} // namespace penning::io
