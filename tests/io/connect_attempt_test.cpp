#include "processes.hpp"
#include "subprocess.hpp"

#include "../support/listener.hpp"

#include <penning/io/connect_attempt.hpp>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace penning::io {
namespace {

using penning::test::listener;

/// What an attempt comes to; a connection on this machine does not stay in progress.
std::error_code outcome(connect_attempt& attempt) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  auto result = attempt.look();
  while (result == std::errc::operation_in_progress && std::chrono::steady_clock::now() < end)
    result = attempt.look();
  return result;
}

std::error_code outcome(const socket_address& to) {
  connect_attempt attempt{to};
  return outcome(attempt);
}

struct ConnectAttempt : testing::Test {
  ~ConnectAttempt() override { EXPECT_EQ(test::open_descriptors(), before_); }

  std::string path_ = testing::TempDir() + "connect_attempt_" + std::to_string(::getpid());
  std::size_t before_ = test::open_descriptors();
};

class ConnectAttemptTo : public ConnectAttempt, public testing::WithParamInterface<const char*> {};

TEST_P(ConnectAttemptTo, APortIsRefusedUntilItListens) {
  if (!penning::test::has_address(GetParam()))
    GTEST_SKIP() << "no address " << GetParam();
  auto port = listener::tcp(GetParam());
  const auto address = tcp_addresses(GetParam(), port.port()).at(0);
  EXPECT_EQ(outcome(address), std::errc::connection_refused);
  port.listen();
  EXPECT_EQ(outcome(address), std::error_code{});
}

INSTANTIATE_TEST_SUITE_P(Families, ConnectAttemptTo, testing::Values("127.0.0.1", "::1"));

TEST_F(ConnectAttempt, KeepsItsOutcome) {
  auto port = listener::tcp();
  connect_attempt attempt{port.address()};
  EXPECT_EQ(outcome(attempt), std::errc::connection_refused);
  port.listen();
  EXPECT_EQ(attempt.look(), std::errc::connection_refused);
}

TEST_F(ConnectAttempt, ClosesItsConnectionOnceItStands) {
  auto port = listener::tcp();
  port.listen();
  connect_attempt attempt{port.address()};
  ASSERT_EQ(outcome(attempt), std::error_code{});
  auto connection = port.accept();
  char byte = 0;
  EXPECT_EQ(::read(connection.get(), &byte, 1), 0) << "the end of file, and nothing before it";
}

TEST_F(ConnectAttempt, IsInProgressWhileAPortHasNoRoomAndMayBeGivenUp) {
  auto port = listener::tcp();
  port.listen(0);
  // given a port whose queue is full: it answers nobody
  std::vector<connect_attempt> attempts;
  const auto full = [&] {
    attempts.emplace_back(port.address());
    return attempts.back().look() == std::errc::operation_in_progress
           && attempts.front().look() == std::error_code{};
  };
  while (!full())
    ASSERT_LT(attempts.size(), 100u);
  EXPECT_EQ(attempts.back().look(), std::errc::operation_in_progress);
}

TEST_F(ConnectAttempt, FindsASocketOfAFile) {
  EXPECT_EQ(outcome(unix_address(path_)), std::errc::no_such_file_or_directory);
  {
    listener stale{unix_address(path_)};
    EXPECT_EQ(outcome(unix_address(path_)), std::errc::connection_refused);
    stale.listen();
    EXPECT_EQ(outcome(unix_address(path_)), std::error_code{});
  }
  EXPECT_EQ(outcome(unix_address(path_)), std::errc::connection_refused) << "a file that is left";
  std::filesystem::remove(path_);
}

TEST_F(ConnectAttempt, FindsAnAbstractSocketByExactlyItsName) {
  const auto name = "@penning_connect_attempt_" + std::to_string(::getpid());
  listener socket{unix_address(name)};
  socket.listen();
  EXPECT_EQ(outcome(unix_address(name)), std::error_code{});
  EXPECT_EQ(outcome(unix_address(name + "x")), std::errc::connection_refused);
  EXPECT_FALSE(std::filesystem::exists(name));
}

TEST_F(ConnectAttempt, CountsAFullBacklogOfAUnixSocketAsAccepting) {
  listener socket{unix_address(path_)};
  socket.listen(0);
  EXPECT_EQ(outcome(unix_address(path_)), std::error_code{});
  const unique_fd waiting{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  const auto at = unix_address(path_);
  const auto* address = reinterpret_cast<const sockaddr*>(&at.bytes);
  ASSERT_EQ(::connect(waiting.get(), address, at.size), -1);
  ASSERT_EQ(errno, EAGAIN) << "it is full";
  EXPECT_EQ(outcome(unix_address(path_)), std::error_code{});
  std::filesystem::remove(path_);
}

TEST_F(ConnectAttempt, KnowsASocketThatHasMetItself) {
  // given a socket that connects to its own port, as Linux lets it
  auto self = listener::tcp();
  const auto at = self.address();
  const unique_fd socket{self.release()};
  ASSERT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&at.bytes), at.size), 0);
  EXPECT_TRUE(is_connected_to_itself(socket.get()));
  // and one that does not
  auto port = listener::tcp();
  port.listen();
  const auto there = port.address();
  const unique_fd other{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  ASSERT_EQ(::connect(other.get(), reinterpret_cast<const sockaddr*>(&there.bytes), there.size), 0);
  EXPECT_FALSE(is_connected_to_itself(other.get()));
}

TEST_F(ConnectAttempt, TellsThatThereIsNoDescriptorLeft) {
  const auto status = test::in_subprocess([] {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_NOFILE, &none);
    connect_attempt attempt{tcp_addresses("127.0.0.1", 1).at(0)};
    return attempt.look() == std::errc::too_many_files_open ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
}

TEST(TcpAddresses, AreThoseThatAHostSpells) {
  EXPECT_EQ(tcp_addresses("127.0.0.1", 80).size(), 1u);
  EXPECT_EQ(tcp_addresses("fd00::1", 80).size(), 1u);
  EXPECT_EQ(tcp_addresses("localhost", 80).size(), 2u);
  for (const auto* other : {"", "example.org", "127.1", "LOCALHOST", "127.0.0.1:80", "[::1]"})
    EXPECT_TRUE(tcp_addresses(other, 80).empty()) << other;
}

TEST(UnixAddress, TakesAPathOf107Bytes) {
  EXPECT_NO_THROW(unix_address(std::string(107, 'x')));
  EXPECT_THROW(unix_address(std::string(108, 'x')), std::length_error);
}

} // namespace
} // namespace penning::io
