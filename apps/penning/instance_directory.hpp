#pragma once

#include <penning/io/unique_fd.hpp>

#include <string>
#include <vector>

namespace penning::apps {

/// The folder in which each running instance of this user has a socket, `NAME.sock`: only the user
/// can enter it. Its lock keeps two that clean up or begin at once out of each other's way.
class instance_directory {
 public:
  /// Where it may be: under XDG_RUNTIME_DIR if that is set, else under /run/user/UID or /tmp.
  static std::vector<std::string> candidates();

  /// Makes the folder if need be. Throws `std::runtime_error` when it cannot, and when it is
  /// another user's, open to others, or no folder at all.
  static instance_directory open_or_create(const std::string& path);

  /// Without making it: null-like (`!exists()`) if there is none.
  static instance_directory open(const std::string& path);

  bool exists() const noexcept { return static_cast<bool>(fd_); }

  /// The socket's path. A name has letters, digits, `_`, `-` and `.` only: see `is_name`.
  std::string socket_path(const std::string& name) const;

  /// The instances that answer, sorted. Sockets that nobody listens on are removed.
  std::vector<std::string> running() const;

  /// Removes what a dead instance of that name has left; false if it lives. Call under `lock`.
  bool make_free(const std::string& name) const;

  /// Until the returned descriptor is closed; waits for others, who hold it for moments only.
  io::unique_fd lock() const;

 private:
  explicit instance_directory(std::string path) : path_{std::move(path)} {}
  void check() const;

  std::string path_;
  io::unique_fd fd_;
};

/// Whether it may be the name of an instance; at most 32 characters, the first no dot.
bool is_name(const std::string& text);

/// A stream connected to the socket, with deadlines of 10 s; invalid and errno set if nobody
/// listens.
io::unique_fd connect_to(const std::string& path);

} // namespace penning::apps
