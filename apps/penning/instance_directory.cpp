#include "instance_directory.hpp"

#include <penning/io/pidfd.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace penning::apps {

namespace {

constexpr std::string_view suffix = ".sock";

std::runtime_error failure(const std::string& path, const std::string& problem) {
  return std::runtime_error{path + ": " + problem};
}

std::string why() {
  return std::system_category().message(errno);
}

/// Whether the process that listens at the other end lives. One that is dead may listen for a
/// moment longer: a child of it that has not come to its execve(2) yet has all its descriptors.
bool listener_lives(const io::unique_fd& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return true;
  const auto pidfd = io::open_pidfd(peer.pid);
  return pidfd ? !io::is_dead(pidfd.get()) : errno != ESRCH;
}

bool is_directory(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

} // namespace

std::vector<std::string> instance_directory::candidates() {
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime && is_directory(runtime))
    return {std::string{runtime} + "/penning"};
  const auto user = std::to_string(::geteuid());
  std::vector<std::string> result;
  if (const auto own = "/run/user/" + user; is_directory(own))
    result.push_back(own + "/penning");
  result.push_back("/tmp/penning-" + user);
  return result;
}

instance_directory instance_directory::open_or_create(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    throw failure(path, why());
  auto result = open(path);
  if (!result.exists())
    throw failure(path, "it has vanished");
  return result;
}

instance_directory instance_directory::open(const std::string& path) {
  instance_directory result{path};
  result.fd_ = io::unique_fd{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (result.exists())
    result.check();
  else if (errno != ENOENT)
    throw failure(path, why());
  return result;
}

/// In /tmp anybody may have been there first.
void instance_directory::check() const {
  struct stat info {};
  if (::fstat(fd_.get(), &info) != 0)
    throw failure(path_, why());
  if (info.st_uid != ::geteuid())
    throw failure(path_, "belongs to another user");
  if ((info.st_mode & 077) != 0)
    throw failure(path_, "is open to other users; its mode must be 0700");
}

std::string instance_directory::socket_path(const std::string& name) const {
  return path_ + "/" + name + std::string{suffix};
}

std::vector<std::string> instance_directory::running() const {
  std::vector<std::string> names;
  const auto held = lock();
  for (const auto& entry : std::filesystem::directory_iterator{path_}) {
    const auto file = entry.path().filename().string();
    if (!file.ends_with(suffix))
      continue;
    const auto name = file.substr(0, file.size() - suffix.size());
    if (!make_free(name))
      names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

bool instance_directory::make_free(const std::string& name) const {
  const auto path = socket_path(name);
  const auto socket = connect_to(path);
  if (!socket && errno != ECONNREFUSED)
    return errno == ENOENT;
  if (socket && listener_lives(socket))
    return false;
  return ::unlink(path.c_str()) == 0; // its instance was killed
}

io::unique_fd instance_directory::lock() const {
  // A lock belongs to one opening of the file: ours shall not end another's, see flock(2).
  io::unique_fd held{::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!held)
    throw failure(path_, why());
  while (::flock(held.get(), LOCK_EX) != 0)
    if (errno != EINTR)
      throw failure(path_, why());
  return held;
}

bool is_name(const std::string& text) {
  constexpr std::string_view allowed =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  return !text.empty() && text.size() <= 32 && text.front() != '.'
         && text.find_first_not_of(allowed) == std::string::npos;
}

io::unique_fd connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return {};
  }
  path.copy(address.sun_path, path.size());
  io::unique_fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const timeval patience{10, 0}; // for connecting and writing, and for reading
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (socket
      && ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    const int problem = errno; // closing may change it
    socket.reset();
    errno = problem;
  }
  return socket;
}

} // namespace penning::apps
