#include <penning/io/guardian.hpp>

#include <penning/io/guardian_image.hpp>
#include <penning/io/pipes.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <vector>

namespace penning::io {
namespace {

using number = std::int32_t; // on the wire: a group, or minus one
constexpr std::size_t numbers_per_message = 8UL * 1024;

bool send_numbers(int socket, const number* first, std::size_t count) {
  return ::send(socket, first, count * sizeof *first, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

/// Gives a guardian that is slow, on a loaded machine, a moment to make room.
bool has_room(int socket) {
  pollfd entry{socket, POLLOUT, 0};
  return ::poll(&entry, 1, 20) == 1 && (entry.revents & (POLLERR | POLLHUP)) == 0;
}

/// A file of no file system that holds the guardian's program, see memfd_create(2).
unique_fd make_image() {
  unsigned executable = 0x10; // MFD_EXEC, since Linux 6.3; EINVAL before
  unique_fd file(::memfd_create("penning-guardian", MFD_CLOEXEC | executable));
  if (!file && errno == EINVAL)
    file = unique_fd(::memfd_create("penning-guardian", MFD_CLOEXEC));
  auto bytes = guardian_image();
  if (file && ::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    file.reset();
  if (file && keep_off_stdio(file))
    file.reset();
  return file;
}

} // namespace

guardian::guardian(boost::asio::io_context& io, clone_launcher& launcher)
    : io_(io),
      launcher_(launcher),
      watch_(io),
      retry_(io) {}

/// A system call and nothing else: this runs in the child, in its parent's memory.
guardian::registration::error_code guardian::registration::on_exec_setup(launcher&, const path&,
                                                                         const char* const*) {
  auto self = static_cast<number>(::syscall(SYS_getpid));
  if (::syscall(SYS_sendto, to.socket_.get(), &self, sizeof self, MSG_DONTWAIT | MSG_NOSIGNAL,
                nullptr, 0)
      < 0)
    return {errno, boost::system::system_category()};
  return {};
}

void guardian::registration::on_success(launcher& by, const path&, const char* const*) {
  to.groups_.insert(by.pid);
}

void guardian::registration::on_error(launcher& by, const path&, const char* const*,
                                      const error_code&) {
  if (by.pid > 0)
    to.forget(by.pid);
}

std::error_code guardian::fail(const char* step, int error) {
  failed_step_ = std::string("guardian: ") + step;
  return {error, std::system_category()};
}

std::error_code guardian::ensure() {
  return watch_.is_open() ? std::error_code{} : start();
}

std::error_code guardian::start() {
  if (!image_)
    image_ = make_image();
  if (!image_)
    return fail("memfd_create", errno);
  unique_fd theirs, null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null)
    return fail("open /dev/null", errno);
  if (auto error = connect(theirs))
    return error;
  if (auto error = send_table()) // it finds it there when it begins
    return error;

  const char* argv[] = {"penning-guardian", nullptr};
  const char* const env[] = {nullptr};
  launcher_.env = env;
  launcher_.next.stdio = {theirs.get(), null.get(), null.get()};
  launcher_.next.image = image_.get();
  launcher_.next.new_session = true;
  launcher_.next.outlives_parent = true;
  clone_launcher::error_code error;
  auto process = launcher_(io_, error, "penning-guardian", static_cast<const char**>(argv));
  if (error)
    return fail(launcher_.failed_step(), error.value());
  return watch(std::move(process));
}

std::error_code guardian::connect(unique_fd& theirs) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return fail("socketpair", errno);
  socket_.reset(pair[0]);
  theirs.reset(pair[1]);
  int bytes = 1024 * 1024; // as much as the system allows: room for hundreds of records
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  if (auto error = keep_off_stdio(socket_))
    return fail("fcntl(F_DUPFD)", error.value());
  return {};
}

std::error_code guardian::send_table() {
  std::vector<number> all(groups_.begin(), groups_.end());
  for (std::size_t at = 0; at < all.size(); at += numbers_per_message)
    if (!send_numbers(socket_.get(), &all[at], std::min(numbers_per_message, all.size() - at)))
      return fail("send", errno);
  return {};
}

std::error_code guardian::watch(launched_process process) {
  started_ = std::chrono::steady_clock::now();
  if (auto error = watch_.open(process.pidfd)) {
    socket_.reset(); // with that it ends by itself
    siginfo_t info{};
    ::waitid(P_PIDFD, static_cast<id_t>(process.pidfd.get()), &info, WEXITED);
    return fail("epoll_ctl", error.value());
  }
  watch_.wait([this] { died(); });
  return {};
}

/// Replaced at once, unless it had lived for less than a second: something kills it, then, or it
/// cannot run here, and trying in a circle would only use up the processor. With no child there is
/// nothing to guard; the next one brings a new guardian.
void guardian::died() {
  reap();
  bool lived = std::chrono::steady_clock::now() - started_ > std::chrono::seconds(1);
  start_after(std::chrono::milliseconds(lived ? 0 : 50));
}

void guardian::start_after(std::chrono::milliseconds delay) {
  retry_.expires_after(delay);
  retry_.async_wait([this](auto aborted) {
    if (!aborted && !groups_.empty() && ensure())
      start_after(std::chrono::milliseconds(50));
  });
}

/// A guardian that cannot be told is killed before it can act on a number that is not ours any
/// more.
void guardian::forget(pid_t group) {
  groups_.erase(group);
  number record = -group;
  if (!socket_ || send_numbers(socket_.get(), &record, 1))
    return;
  if (errno == EAGAIN && has_room(socket_.get()) && send_numbers(socket_.get(), &record, 1))
    return;
  dismiss();
  start_after(std::chrono::milliseconds(0));
}

std::error_code guardian::replace() {
  dismiss();
  return start();
}

void guardian::dismiss() {
  if (!watch_.is_open())
    return;
  signal_pidfd(watch_.get(), SIGKILL);
  reap();
}

void guardian::stop() {
  retry_.cancel();
  socket_.reset();
  if (!watch_.is_open())
    return;
  if (!is_dead(watch_.get(), 1000))
    signal_pidfd(watch_.get(), SIGKILL);
  reap();
}

/// Waits for its death, which is certain and near.
void guardian::reap() {
  socket_.reset();
  auto pidfd = watch_.close();
  siginfo_t info{};
  is_dead(pidfd.get(), -1); // not by waitid: the descriptor is non-blocking by now
  ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED);
}

} // namespace penning::io
