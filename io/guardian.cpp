#include <penning/io/guardian.hpp>

#include <penning/io/guardian_image.hpp>
#include <penning/io/pipes.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <vector>

namespace penning::io {
namespace {

// On the wire, a message: its kind, then numbers (a group, or minus one) or the bytes of a path.
using number = std::int32_t;
enum kind : number { groups = 0, watch_path = 1, forget_path = 2 };
constexpr std::size_t numbers_per_message = 8UL * 1024;

bool send_message(int socket, kind what, const void* payload, std::size_t size) {
  number head = what;
  iovec parts[] = {{&head, sizeof head}, {const_cast<void*>(payload), size}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  return ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

/// Gives a guardian that is slow, on a loaded machine, a moment to make room.
bool has_room(int socket) {
  pollfd entry{socket, POLLOUT, 0};
  return ::poll(&entry, 1, 20) == 1 && (entry.revents & (POLLERR | POLLHUP)) == 0;
}

} // namespace

struct guardian::registration::connection {
  unique_fd socket, pidfd;

  /// Once more if there was no room; a guardian that cannot be told is killed before it can act on
  /// a number that is not ours any more.
  bool send(number group) const { return send(kind::groups, &group, sizeof group); }
  bool send(kind what, const std::string& path) const {
    return send(what, path.data(), path.size());
  }
  bool send(kind what, const void* payload, std::size_t size) const {
    for (int attempt = 0; attempt < 2; ++attempt) {
      if (send_message(socket.get(), what, payload, size))
        return true;
      if (errno != EAGAIN || !has_room(socket.get()))
        break;
    }
    signal_pidfd(pidfd.get(), SIGKILL);
    return false;
  }
};

guardian::guardian(boost::asio::io_context& io) : io_(io), watch_(io), retry_(io) {}

/// A system call and nothing else: this runs in the child, in its parent's memory.
guardian::registration::error_code guardian::registration::on_exec_setup(launcher&, const path&,
                                                                         const char* const*) {
  if (!to_) // it has just died
    return {ENOTCONN, boost::system::system_category()};
  number message[2] = {kind::groups, static_cast<number>(::syscall(SYS_getpid))};
  if (::syscall(SYS_sendto, to_->socket.get(), message, sizeof message, MSG_DONTWAIT | MSG_NOSIGNAL,
                nullptr, 0)
      < 0)
    return {errno, boost::system::system_category()};
  return {};
}

void guardian::registration::on_error(launcher& by, const path&, const char* const*,
                                      const error_code&) {
  if (by.pid > 0 && to_)
    to_->send(-by.pid);
}

std::error_code guardian::registration::enter(const std::string& control_group) const {
  if (to_ && to_->send(kind::watch_path, control_group))
    return {};
  return {ENOTCONN, std::system_category()};
}

void guardian::registration::forget(const std::string& control_group) const {
  if (to_)
    to_->send(kind::forget_path, control_group);
}

guardian::registration guardian::enter() {
  registration result;
  std::lock_guard lock(mutex_);
  result.to_ = connection_;
  return result;
}

void guardian::registered(pid_t group, const registration& by) {
  groups_.insert(group);
  if (by.to_ != connection_ && connection_)
    connection_->send(group);
}

void guardian::registered(const std::string& control_group, const registration& by) {
  control_groups_.insert(control_group);
  if (by.to_ != connection_ && connection_)
    connection_->send(kind::watch_path, control_group);
}

int guardian::socket() const {
  return connection_ ? connection_->socket.get() : -1;
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
    image_ = open_guardian_image();
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
  if (!error)
    return watch(std::move(process));
  disconnect();
  return fail(launcher_.failed_step(), error.value());
}

std::error_code guardian::connect(unique_fd& theirs) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return fail("socketpair", errno);
  unique_fd ours(pair[0]);
  theirs.reset(pair[1]);
  int bytes = 1024 * 1024; // as much as the system allows: room for hundreds of records
  ::setsockopt(ours.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  if (auto error = keep_off_stdio(ours))
    return fail("fcntl(F_DUPFD)", error.value());
  auto connection = std::make_shared<registration::connection>();
  connection->socket = std::move(ours);
  std::lock_guard lock(mutex_);
  connection_ = std::move(connection);
  return {};
}

std::error_code guardian::send_table() {
  std::vector<number> all(groups_.begin(), groups_.end());
  for (std::size_t at = 0; at < all.size(); at += numbers_per_message)
    if (!send_message(socket(), kind::groups, &all[at],
                      std::min(numbers_per_message, all.size() - at) * sizeof all[at]))
      return fail("send", errno);
  for (const auto& path : control_groups_)
    if (!send_message(socket(), kind::watch_path, path.data(), path.size()))
      return fail("send", errno);
  return {};
}

std::error_code guardian::watch(launched_process process) {
  started_ = std::chrono::steady_clock::now();
  pid_ = process.pid;
  connection_->pidfd = unique_fd(::fcntl(process.pidfd.get(), F_DUPFD_CLOEXEC, 3));
  int reason = errno;
  std::error_code error;
  if (connection_->pidfd && !(error = watch_.open(process.pidfd))) {
    watch_.wait([this] { died(); });
    ready_ = true;
    return {};
  }
  reason = error ? error.value() : reason;
  disconnect(); // with that it ends by itself
  siginfo_t info{};
  ::waitid(P_PIDFD, static_cast<id_t>(process.pidfd.get()), &info, WEXITED);
  return fail(error ? "epoll_ctl" : "fcntl(F_DUPFD)", reason);
}

/// Replaced at once, for meanwhile nobody guards; but each that lived for less than a second delays
/// the next one a little more: something kills it, then, or it cannot run here, and trying in a
/// circle would only use up the processor. With no child there is nothing to guard; the next one
/// brings a new guardian.
void guardian::died() {
  reap();
  bool lived = std::chrono::steady_clock::now() - started_ > std::chrono::seconds(1);
  short_lives_ = lived ? 0 : std::min(short_lives_ + 1, 50);
  start_after(std::chrono::milliseconds(short_lives_));
}

void guardian::start_after(std::chrono::milliseconds delay) {
  retry_.expires_after(delay);
  retry_.async_wait([this](auto aborted) {
    if (!aborted && !(groups_.empty() && control_groups_.empty()) && ensure())
      start_after(std::chrono::milliseconds(50));
  });
}

void guardian::forget(pid_t group) {
  groups_.erase(group);
  if (connection_ && !connection_->send(-group))
    give_up();
}

void guardian::enter(const std::string& control_group) {
  control_groups_.insert(control_group);
  if (connection_ && !connection_->send(kind::watch_path, control_group))
    give_up();
}

void guardian::forget(const std::string& control_group) {
  control_groups_.erase(control_group);
  if (connection_ && !connection_->send(kind::forget_path, control_group))
    give_up();
}

/// For one that takes nothing.
void guardian::give_up() {
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
  disconnect();
  if (!watch_.is_open())
    return;
  if (!is_dead(watch_.get(), 1000))
    signal_pidfd(watch_.get(), SIGKILL);
  reap();
}

void guardian::disconnect() {
  ready_ = false;
  std::lock_guard lock(mutex_);
  connection_.reset();
}

/// Waits for its death, which is certain and near.
void guardian::reap() {
  disconnect();
  auto pidfd = watch_.close();
  siginfo_t info{};
  is_dead(pidfd.get(), -1); // not by waitid: the descriptor is non-blocking by now
  pid_ = 0;
  ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED);
}

} // namespace penning::io
