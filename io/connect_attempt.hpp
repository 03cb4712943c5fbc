#pragma once

#include <penning/io/unique_fd.hpp>

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

namespace penning::io {

/// Where a stream socket listens, as connect(2) takes it.
struct socket_address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

/// The addresses of a TCP port: the one that `host` spells, both of the loopback for "localhost",
/// none for any other host. Nothing is looked up.
std::vector<socket_address> tcp_addresses(const std::string& host, std::uint16_t port);

/// The address of a unix socket; one with a leading '@' is abstract, see unix(7).
/// Errors: `std::length_error` for a path that does not fit, which is one of more than 107 bytes.
socket_address unix_address(const std::string& path);

/// One attempt to connect to a stream socket. It never blocks, sends nothing, and closes its
/// connection as soon as it is known to stand.
///
/// Thread safety: none, one process owns it. Source: connect(2), under EINPROGRESS and EAGAIN.
class connect_attempt {
 public:
  /// Begins.
  explicit connect_attempt(const socket_address& to);

  /// No error once the other side has accepted: for a unix socket also while its backlog is full.
  /// `operation_in_progress` as long as nobody knows, else the errno of socket(2) or connect(2).
  /// A socket that has met itself, as one may whose own port is the one that it connects to, counts
  /// as refused.
  std::error_code look();

 private:
  void begin(const socket_address& to);
  void settle(int error);

  unique_fd socket_;
  std::error_code outcome_;
};

/// Whether both ends of a connection are this one socket.
bool is_connected_to_itself(int socket);

} // namespace penning::io
