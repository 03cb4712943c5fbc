#include <penning/io/pid_namespace.hpp>

#include <penning/io/guardian_image.hpp>

#include <sched.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <utility>

namespace penning::io {
namespace {

void reap(int pidfd) {
  siginfo_t info{};
  is_dead(pidfd, -1); // not by waitid: the descriptor may be non-blocking
  ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED);
}

} // namespace

std::optional<pid_namespace> pid_namespace::make(clone_launcher& launcher,
                                                 boost::asio::io_context& io,
                                                 std::error_code& error, const char*& step) {
  auto image = open_guardian_image();
  step = "memfd_create";
  if (!image) {
    error.assign(errno, std::system_category());
    return {};
  }
  const char* argv[] = {"penning-init", "init", nullptr};
  const char* const env[] = {nullptr};
  launcher.env = env;
  launcher.next.image = image.get();
  launcher.next.new_session = true;
  launcher.next.pids = clone_launcher::pid_space::fresh;
  boost::system::error_code failure;
  auto init = launcher(io, failure, "penning-init", static_cast<const char**>(argv));
  error = failure;
  step = launcher.failed_step();
  if (error)
    return {};
  return pid_namespace(std::move(init));
}

pid_namespace::~pid_namespace() {
  if (!init_.pidfd)
    return;
  signal_pidfd(init_.pidfd.get(), SIGKILL);
  reap(init_.pidfd.get());
}

unique_fd pid_namespace::release() {
  return std::move(init_.pidfd);
}

pid_namespace::membership::error_code pid_namespace::membership::on_setup(launcher& by, const path&,
                                                                          const char* const*) {
  by.next.pids = clone_launcher::pid_space::entered;
  own = open_pidfd(::getpid());
  if (own && ::setns(init.get(), CLONE_NEWPID) == 0)
    return {};
  error_code error(errno, boost::system::system_category());
  own.reset();
  return error;
}

void pid_namespace::membership::on_success(launcher&, const path&, const char* const*) {
  leave();
}

void pid_namespace::membership::on_error(launcher&, const path&, const char* const*,
                                         const error_code&) {
  leave();
}

/// A thread that stayed would start the children of others in here.
void pid_namespace::membership::leave() {
  if (own && ::setns(own.get(), CLONE_NEWPID) != 0)
    std::terminate();
  own.reset();
}

namespace_descendants::namespace_descendants(boost::asio::io_context& io, pid_namespace space)
    : io_(io),
      watch_(io),
      pidfd_(space.release()) {
  (void)watch_.open(pidfd_); // else `when_gone` looks again and again
}

namespace_descendants::~namespace_descendants() {
  auto pidfd = watch_.is_open() ? watch_.close() : std::move(pidfd_);
  if (!pidfd)
    return;
  signal_pidfd(pidfd.get(), SIGKILL);
  reap(pidfd.get());
}

void namespace_descendants::kill() {
  signal_pidfd(watch_.is_open() ? watch_.get() : pidfd_.get(), SIGKILL);
}

void namespace_descendants::when_gone(std::function<void()> f) {
  if (watch_.is_open()) {
    watch_.wait([this, f = std::move(f)] {
      reap(watch_.close().get());
      f();
    });
    return;
  }
  if (!is_dead(pidfd_.get()))
    return a_moment_later(io_, [this, f = std::move(f)] { when_gone(f); });
  reap(std::exchange(pidfd_, {}).get());
  f();
}

} // namespace penning::io
