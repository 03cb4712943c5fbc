#include "subprocess.hpp"

#include <penning/io/private_descriptor.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <fcntl.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

using namespace penning::io;
using namespace penning::io::test;
using use = private_descriptor::use;

namespace {

bool is_non_blocking(int fd) {
  return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

unique_fd copy(int fd) {
  return unique_fd(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

TEST(PrivateDescriptor, LeavesAPipeOfOthersAsItIs) {
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  private_descriptor in(copy(pipe[0]), use::reading), out(copy(pipe[1]), use::writing);
  EXPECT_TRUE(is_non_blocking(in.get()) && is_non_blocking(out.get()));
  EXPECT_FALSE(is_non_blocking(pipe[0]) || is_non_blocking(pipe[1]));
  // and it is the same pipe, whose end is seen
  EXPECT_EQ(::write(out.get(), "x", 1), 1);
  char c = 0;
  EXPECT_EQ(::read(in.get(), &c, 1), 1);
  out.close();
  ::close(pipe[1]);
  EXPECT_EQ(::read(in.get(), &c, 1), 0);
  ::close(pipe[0]);
}

TEST(PrivateDescriptor, LeavesATerminalOfOthersAsItIs) {
  unique_fd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(master && ::grantpt(master.get()) == 0 && ::unlockpt(master.get()) == 0);
  unique_fd shell(::open(::ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  private_descriptor in(copy(shell.get()), use::reading);
  EXPECT_TRUE(is_non_blocking(in.get()));
  EXPECT_FALSE(is_non_blocking(shell.get()));
  EXPECT_EQ(::write(master.get(), "x\n", 2), 2);
  char c = 0;
  EXPECT_EQ(::read(in.get(), &c, 1), 1);
}

TEST(PrivateDescriptor, IsTheSameMasterOfATerminalNotANewOne) {
  unique_fd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(master);
  std::string name = ::ptsname(master.get());
  private_descriptor in(copy(master.get()), use::reading);
  EXPECT_EQ(::ptsname(in.get()), name);
}

TEST(PrivateDescriptor, RestoresASocketThatItHadToShare) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  {
    private_descriptor in(copy(pair[0]), use::reading);
    EXPECT_TRUE(is_non_blocking(in.get()));
  }
  EXPECT_FALSE(is_non_blocking(pair[0]));
  ::close(pair[0]);
  ::close(pair[1]);
}

TEST(ProtocolStreams, AreOutOfReachOfPrints) {
  int in[2], out[2], err[2];
  ASSERT_EQ(::pipe2(in, O_CLOEXEC) + ::pipe2(out, O_CLOEXEC) + ::pipe2(err, O_CLOEXEC), 0);
  EXPECT_EQ(in_subprocess([&] {
              ::dup2(in[0], 0);
              ::dup2(out[1], 1);
              ::dup2(err[1], 2);
              (void)!::write(in[1], "request", 7);
              auto streams = take_protocol_streams();
              std::puts("print");
              std::fflush(stdout);
              char text[8] = {};
              if (::read(0, text, sizeof text) != 0 || ::read(streams.in.get(), text, 7) != 7)
                return 1;
              (void)!::write(streams.out.get(), text, 7);
              return ::fcntl(streams.out.get(), F_GETFD) == FD_CLOEXEC ? 0 : 2;
            }),
            0);
  char text[16] = {};
  EXPECT_EQ(::read(out[0], text, sizeof text), 7);
  EXPECT_STREQ(text, "request");
  EXPECT_EQ(::read(err[0], text, sizeof text), 6);
  for (int fd : {in[0], in[1], out[0], out[1], err[0], err[1]})
    ::close(fd);
}

TEST(ProtocolStreams, LeaveNoClosedStderrForAnotherDescriptorToBecome) {
  EXPECT_EQ(in_subprocess([] {
              ::close(2);
              auto streams = take_protocol_streams();
              unique_fd next(::open("/dev/null", O_RDWR | O_CLOEXEC));
              return ::fcntl(1, F_GETFD) >= 0 && ::fcntl(2, F_GETFD) >= 0 && next.get() > 2 ? 0 : 1;
            }),
            0);
}

TEST(ProtocolStreams, AreMissedWhereTheyAreClosed) {
  EXPECT_EQ(in_subprocess([] {
              ::close(1);
              try {
                take_protocol_streams();
                return 1;
              } catch (const std::system_error& e) {
                return std::string(e.what()).find("stdout") == 0 ? 0 : 2;
              }
            }),
            0);
}

} // namespace
