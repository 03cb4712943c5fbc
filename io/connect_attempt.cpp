#include <penning/io/connect_attempt.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <stdexcept>

namespace penning::io {
namespace {

template <class Address>
socket_address to_address(const Address& from, std::size_t size = sizeof(Address)) {
  socket_address result;
  std::memcpy(&result.bytes, &from, size);
  result.size = static_cast<socklen_t>(size);
  return result;
}

} // namespace

std::vector<socket_address> tcp_addresses(const std::string& host, std::uint16_t port) {
  const bool is_local = host == "localhost";
  std::vector<socket_address> result;
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  if (::inet_pton(AF_INET, is_local ? "127.0.0.1" : host.c_str(), &four.sin_addr) == 1)
    result.push_back(to_address(four));
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  if (::inet_pton(AF_INET6, is_local ? "::1" : host.c_str(), &six.sin6_addr) == 1)
    result.push_back(to_address(six));
  return result;
}

socket_address unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw std::length_error{path + ": does not fit into the address of a unix socket"};
  path.copy(address.sun_path, path.size());
  if (!path.starts_with('@'))
    return to_address(address);
  address.sun_path[0] = '\0'; // and the name is as long as the address says
  return to_address(address, offsetof(sockaddr_un, sun_path) + path.size());
}

connect_attempt::connect_attempt(const socket_address& to) {
  const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  socket_.reset(::socket(to.bytes.ss_family, type, 0));
  if (socket_)
    begin(to);
  else
    settle(errno);
}

void connect_attempt::begin(const socket_address& to) {
  const auto* address = reinterpret_cast<const sockaddr*>(&to.bytes);
  const int error = ::connect(socket_.get(), address, to.size) == 0 ? 0 : errno;
  const bool is_backlog_full = error == EAGAIN && to.bytes.ss_family == AF_UNIX;
  settle(is_backlog_full ? 0 : error == EINTR ? EINPROGRESS : error);
}

std::error_code connect_attempt::look() {
  if (outcome_ != std::errc::operation_in_progress)
    return outcome_;
  pollfd entry{socket_.get(), POLLOUT, 0};
  const int ready = ::poll(&entry, 1, 0);
  if (ready == 0 || (ready < 0 && errno == EINTR))
    return outcome_;
  int error = errno;
  socklen_t size = sizeof error;
  if (ready > 0 && ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0)
    error = errno;
  settle(error);
  return outcome_;
}

void connect_attempt::settle(int error) {
  if (error == 0 && socket_ && is_connected_to_itself(socket_.get()))
    error = ECONNREFUSED;
  outcome_ = {error, std::system_category()};
  if (error != EINPROGRESS)
    socket_.reset();
}

bool is_connected_to_itself(int socket) {
  sockaddr_storage here{}, there{};
  socklen_t here_size = sizeof here, there_size = sizeof there;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&here), &here_size) != 0
      || ::getpeername(socket, reinterpret_cast<sockaddr*>(&there), &there_size) != 0)
    return false;
  const bool is_tcp = here.ss_family != AF_UNIX; // whose ends may both be nameless
  return is_tcp && here_size == there_size && std::memcmp(&here, &there, here_size) == 0;
}

} // namespace penning::io
