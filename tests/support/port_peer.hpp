#pragma once

#include "print_term.hpp"

#include <penning/bridge/etf.hpp>
#include <penning/io/pidfd.hpp>
#include <penning/io/unique_fd.hpp>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace penning::test {

/// The other side of a port program: what a BEAM is for penningd. Every wait has a deadline, past
/// which it throws.
class port_peer {
 public:
  explicit port_peer(const std::string& program) {
    auto [child_in, in] = pipe();
    auto [out, child_out] = pipe();
    auto [err, child_err] = pipe();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, child_in.get(), 0);
    posix_spawn_file_actions_adddup2(&actions, child_out.get(), 1);
    posix_spawn_file_actions_adddup2(&actions, child_err.get(), 2);
    std::array<char*, 2> argv{const_cast<char*>(program.c_str()), nullptr};
    const int failed =
      ::posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
      throw std::system_error{failed, std::generic_category(), program};
    pidfd_ = io::open_pidfd(pid_);
    in_ = std::move(in);
    out_ = std::move(out);
    err_ = std::move(err);
  }

  ~port_peer() {
    in_.reset();
    if (pid_ > 0 && !io::is_dead(pidfd_.get(), deadline_ms))
      ::kill(pid_, SIGKILL);
    if (pid_ > 0)
      ::waitpid(pid_, nullptr, 0);
  }

  port_peer(const port_peer&) = delete;
  port_peer& operator=(const port_peer&) = delete;

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }

  void send(const actors::term& value) { send_frame(bridge::etf::encode(value)); }

  void send_frame(const std::vector<char>& frame) {
    const auto size = static_cast<std::uint32_t>(frame.size());
    send_raw({static_cast<char>(size >> 24), static_cast<char>(size >> 16),
              static_cast<char>(size >> 8), static_cast<char>(size)});
    send_raw(frame);
  }

  void send_raw(const std::vector<char>& bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const auto n = ::write(in_.get(), bytes.data() + done, bytes.size() - done);
      if (n < 0)
        throw std::system_error{errno, std::generic_category(), "write to the port"};
      done += static_cast<std::size_t>(n);
    }
  }

  /// The next frame; nothing at the end of the stream.
  std::optional<std::vector<char>> receive_frame() {
    std::vector<char> header = read(4);
    if (header.size() < 4)
      return std::nullopt;
    std::uint32_t size = 0;
    for (const char byte : header)
      size = size << 8 | static_cast<unsigned char>(byte);
    return read(size);
  }

  /// The next frame's term; nothing at the end of the stream.
  std::optional<actors::term> receive() {
    const auto frame = receive_frame();
    if (!frame)
      return std::nullopt;
    const auto decoded = bridge::etf::decode(*frame);
    if (!decoded)
      throw std::runtime_error{bridge::etf::message(decoded)};
    return decoded.value;
  }

  void close_stdin() { in_.reset(); }

  /// How the program ended; everything that it wrote to stderr is in `errors` then.
  int wait_status() {
    if (!io::is_dead(pidfd_.get(), deadline_ms))
      throw std::runtime_error{"the port program does not end"};
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    std::array<char, 4096> buffer{};
    for (ssize_t n; (n = ::read(err_.get(), buffer.data(), buffer.size())) > 0;)
      errors.append(buffer.data(), static_cast<std::size_t>(n));
    return status;
  }

  std::string errors;

  static constexpr int deadline_ms = 20'000;

 private:
  static std::pair<io::unique_fd, io::unique_fd> pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) < 0)
      throw std::system_error{errno, std::generic_category(), "pipe2"};
    return {io::unique_fd{ends[0]}, io::unique_fd{ends[1]}};
  }

  /// `size` bytes, or fewer at the end of the stream.
  std::vector<char> read(std::size_t size) {
    std::vector<char> result(size);
    std::size_t done = 0;
    while (done < size) {
      pollfd ready{out_.get(), POLLIN, 0};
      if (::poll(&ready, 1, deadline_ms) == 0)
        throw std::runtime_error{"the port program does not answer"};
      const auto n = ::read(out_.get(), result.data() + done, size - done);
      if (n < 0)
        throw std::system_error{errno, std::generic_category(), "read from the port"};
      if (n == 0)
        break;
      done += static_cast<std::size_t>(n);
    }
    result.resize(done);
    return result;
  }

  pid_t pid_ = -1;
  io::unique_fd pidfd_, in_, out_, err_;
};

} // namespace penning::test
