#pragma once

#include <penning/io/connect_attempt.hpp>
#include <penning/io/unique_fd.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>

namespace penning::test {

/// A stream socket that has its address at once, and refuses connections until it listens.
class listener {
 public:
  explicit listener(const io::socket_address& at)
      : socket_{::socket(at.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    check(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&at.bytes), at.size));
  }

  /// A port that is free.
  static listener tcp(const std::string& host = "127.0.0.1") {
    return listener{io::tcp_addresses(host, 0).at(0)};
  }

  void listen(int backlog = 16) { check(::listen(socket_.get(), backlog)); }

  io::unique_fd accept() { return io::unique_fd{::accept(socket_.get(), nullptr, nullptr)}; }

  io::socket_address address() const {
    io::socket_address result;
    result.size = sizeof result.bytes;
    check(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&result.bytes), &result.size));
    return result;
  }

  /// The socket itself, which nobody closes then.
  int release() { return socket_.release(); }

  std::uint16_t port() const {
    const auto at = address(); // the port stands at the same place in both families
    return ntohs(reinterpret_cast<const sockaddr_in*>(&at.bytes)->sin_port);
  }

 private:
  static void check(int result) {
    if (result != 0)
      throw std::system_error{errno, std::system_category(), "listener"};
  }

  io::unique_fd socket_;
};

/// Whether this machine has the address: one without IPv6 has no ::1.
inline bool has_address(const std::string& host) {
  try {
    listener::tcp(host);
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

} // namespace penning::test
