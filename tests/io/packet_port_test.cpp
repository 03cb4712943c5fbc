#include "recorder.hpp"
#include "subprocess.hpp"

#include <penning/io/packet_port.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/post.hpp>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <future>
#include <map>
#include <random>
#include <sys/socket.h>
#include <thread>

using namespace penning::io;
using namespace penning::io::test;
using kind = packet_port_end::kind;

namespace {

std::string framed(std::string_view payload) {
  std::string header;
  for (int shift : {24, 16, 8, 0})
    header += static_cast<char>((payload.size() >> shift) & 0xff);
  return header + std::string(payload);
}

/// What a port told.
class packets : public packet_observer {
 public:
  std::vector<std::string> frames;
  std::optional<packet_port_end> end;

  void on_frames(std::vector<std::vector<char>> more) override {
    note([&] {
      for (const auto& frame : more)
        frames.emplace_back(frame.begin(), frame.end());
    });
  }
  void on_closed(const packet_port_end& x) override {
    note([&] { end = x; });
  }
  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, deadline, condition);
  }
  bool wait_end() {
    return wait([this] { return end.has_value(); });
  }
  bool wait_frames(std::size_t count) {
    return wait([this, count] { return frames.size() >= count; });
  }

 private:
  template <class Change>
  void note(Change change) {
    std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
};

/// A port whose other side the test holds.
struct PacketPort : testing::Test {
  context host;
  std::shared_ptr<packets> seen = std::make_shared<packets>();
  unique_fd to_port, from_port;
  std::unique_ptr<packet_port> port;

  PacketPort() { std::signal(SIGPIPE, SIG_IGN); }

  void open(packet_port_options options = {}) {
    int in[2], out[2];
    ASSERT_EQ(::pipe2(in, O_CLOEXEC), 0);
    ASSERT_EQ(::pipe2(out, O_CLOEXEC), 0);
    to_port.reset(in[1]);
    from_port.reset(out[0]);
    open(unique_fd(in[0]), unique_fd(out[1]), options);
  }
  void open(unique_fd in, unique_fd out, packet_port_options options = {}) {
    port = std::make_unique<packet_port>(host.asio(), std::move(in), std::move(out), seen, options);
    port->start();
  }
  void barrier() {
    std::promise<void> done;
    boost::asio::post(host.asio(), [&] { done.set_value(); });
    done.get_future().wait();
  }
  void put(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t count = ::write(to_port.get(), bytes.data(), bytes.size());
      ASSERT_GT(count, 0);
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  /// Exactly so many bytes, or all up to the end.
  std::string get(std::size_t count) {
    std::string result(count, '\0');
    std::size_t done = 0;
    for (ssize_t n = 1; done < count && n > 0;
         done += static_cast<std::size_t>(std::max<ssize_t>(n, 0)))
      n = ::read(from_port.get(), result.data() + done, count - done);
    result.resize(done);
    return result;
  }
};

TEST_F(PacketPort, DeliversFramesHoweverTheyAreCut) {
  open({.window = 1 << 30});
  std::mt19937 random(2);
  std::string bytes;
  std::vector<std::string> expected;
  for (int i = 0; i < 300; ++i) {
    expected.emplace_back(random() % (i % 50 == 0 ? 300'000 : 300),
                          static_cast<char>('a' + i % 26));
    bytes += framed(expected.back());
  }
  for (std::string_view left = bytes; !left.empty();) {
    auto size = std::min<std::size_t>(left.size(), 1 + random() % 20'000);
    put(left.substr(0, size));
    left.remove_prefix(size);
  }
  ASSERT_TRUE(seen->wait_frames(expected.size()));
  EXPECT_EQ(seen->frames, expected);
}

TEST_F(PacketPort, TellsACleanEndFromACut) {
  open();
  put(framed("whole"));
  to_port.reset();
  ASSERT_TRUE(seen->wait_end());
  EXPECT_EQ(seen->end->how, kind::end_of_stream);
  EXPECT_EQ(seen->frames, std::vector<std::string>{"whole"});
}

TEST_F(PacketPort, TellsThatAFrameWasCut) {
  for (std::size_t size : {1, 3, 4, 8}) {
    seen = std::make_shared<packets>();
    open();
    put(framed("whole").substr(0, size));
    to_port.reset();
    ASSERT_TRUE(seen->wait_end());
    EXPECT_EQ(seen->end->how, kind::cut);
    EXPECT_EQ(to_string(*seen->end), "the stream ended in the middle of a frame");
  }
}

TEST_F(PacketPort, EndsAtALengthThatIsImpossible) {
  open({.max_frame = 1000});
  put(framed("first") + std::string("\xff\xff\xff\xff", 4) + "and more");
  ASSERT_TRUE(seen->wait_end());
  EXPECT_EQ(seen->end->how, kind::too_long);
  EXPECT_EQ(to_string(*seen->end), "a frame of 4294967295 bytes is longer than allowed");
  EXPECT_EQ(seen->frames, std::vector<std::string>{"first"});
}

TEST_F(PacketPort, WritesFramesInOrder) {
  open();
  for (std::size_t size : {0, 1, 300, 70'000})
    port->send(std::vector<char>(size, 'x'));
  for (std::size_t size : {0, 1, 300, 70'000})
    EXPECT_EQ(get(size + 4), framed(std::string(size, 'x')));
  barrier();
  EXPECT_EQ(port->unsent(), 0U);
}

TEST_F(PacketPort, QueuesWhatNobodyReadsWithoutBlockingTheThread) {
  open();
  for (int i = 0; i < 20; ++i)
    port->send(std::vector<char>(1024 * 1024, static_cast<char>('a' + i)));
  barrier();
  EXPECT_GT(port->unsent(), 19U * 1024 * 1024);
  for (int i = 0; i < 20; ++i)
    EXPECT_TRUE(get(1024 * 1024 + 4)
                == framed(std::string(1024 * 1024, static_cast<char>('a' + i))));
}

TEST_F(PacketPort, ReadsNoMoreThanItsWindow) {
  open({.window = 1000});
  std::jthread writer([this] {
    for (int i = 0; i < 3000; ++i)
      put(framed(std::string(96, 'x'))); // costs 100 with its header
  });
  ASSERT_TRUE(seen->wait_frames(10));
  barrier();
  EXPECT_EQ(seen->frames.size(), 10U);
  for (std::size_t i = 1; i <= 2990; ++i) {
    port->consumed(96);
    ASSERT_TRUE(seen->wait_frames(10 + i));
  }
  barrier();
  EXPECT_EQ(seen->frames.size(), 3000U);
}

TEST_F(PacketPort, CountsEmptyFramesToo) {
  open({.window = 40});
  put(std::string(4 * 100, '\0'));
  ASSERT_TRUE(seen->wait_frames(10));
  barrier();
  EXPECT_EQ(seen->frames.size(), 10U);
}

TEST_F(PacketPort, TakesASingleFrameLargerThanItsWindow) {
  open({.window = 1000});
  std::string large(500'000, 'x');
  put(framed(large));
  ASSERT_TRUE(seen->wait_frames(1));
  EXPECT_EQ(seen->frames[0], large);
}

TEST_F(PacketPort, TellsThatNobodyReads) {
  open();
  from_port.reset();
  port->send(std::vector<char>(10, 'x'));
  ASSERT_TRUE(seen->wait_end());
  EXPECT_EQ(seen->end->how, kind::write_failed);
  EXPECT_EQ(seen->end->error, std::errc::broken_pipe);
  port->send(std::vector<char>(10, 'x'));
  barrier();
  EXPECT_EQ(port->unsent(), 0U);
}

TEST_F(PacketPort, SendsFromSeveralThreadsWithoutMixingFrames) {
  open();
  constexpr std::size_t count = 200, size = 3000;
  std::vector<std::jthread> senders;
  for (char name : {'a', 'b', 'c'})
    senders.emplace_back([this, name] {
      for (std::size_t i = 0; i < count; ++i)
        port->send(std::vector<char>(size, name));
    });
  std::map<char, std::size_t> seen_of;
  for (std::size_t i = 0; i < 3 * count; ++i) {
    const auto frame = get(size + 4);
    ASSERT_EQ(frame, framed(std::string(size, frame.back())));
    ++seen_of[frame.back()];
  }
  EXPECT_EQ(seen_of, (std::map<char, std::size_t>{{'a', count}, {'b', count}, {'c', count}}));
}

TEST_F(PacketPort, FlushesBeforeItCloses) {
  open();
  port->send(std::vector<char>(1024 * 1024, 'x'));
  std::promise<void> done;
  auto closed = done.get_future();
  port->flush_then_close([&] { done.set_value(); });
  EXPECT_EQ(closed.wait_for(0s), std::future_status::timeout);
  EXPECT_EQ(get(2 * 1024 * 1024).size(), 1024U * 1024 + 4); // and then the end
  EXPECT_EQ(closed.wait_for(deadline), std::future_status::ready);
  barrier();
  EXPECT_FALSE(seen->end); // it was our own doing
}

TEST_F(PacketPort, AnswersAfterTheEndOfItsInput) {
  open();
  to_port.reset();
  ASSERT_TRUE(seen->wait_end());
  port->send({'x'});
  EXPECT_EQ(get(5), framed("x"));
}

TEST_F(PacketPort, ClosesWhenItIsDestroyed) {
  open();
  port.reset();
  EXPECT_EQ(get(1), "");
}

TEST_F(PacketPort, SpeaksOnASocket) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  to_port.reset(pair[0]);
  from_port.reset(::fcntl(pair[0], F_DUPFD_CLOEXEC, 3));
  open(unique_fd(pair[1]), unique_fd(::fcntl(pair[1], F_DUPFD_CLOEXEC, 3)));
  put(framed("ping"));
  ASSERT_TRUE(seen->wait_frames(1));
  port->send({'x'});
  EXPECT_EQ(get(5), framed("x"));
}

TEST_F(PacketPort, ReadsARegularFileToItsEndAndWritesOne) {
  std::string name = testing::TempDir() + "/penning-port-XXXXXX";
  unique_fd file(::mkostemp(name.data(), O_CLOEXEC));
  std::string bytes;
  for (int i = 0; i < 1000; ++i)
    bytes += framed(std::string(500, 'x'));
  ASSERT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  std::string copy = name + ".out";
  open(unique_fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC)),
       unique_fd(::open(copy.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)),
       {.window = 1 << 30});
  ASSERT_TRUE(seen->wait_end());
  EXPECT_EQ(seen->end->how, kind::end_of_stream);
  EXPECT_EQ(seen->frames.size(), 1000U);
  for (auto& frame : seen->frames)
    port->send({frame.begin(), frame.end()});
  std::promise<void> done;
  port->flush_then_close([&] { done.set_value(); });
  done.get_future().wait();
  from_port.reset(::open(copy.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(get(bytes.size() + 1) == bytes);
  ::unlink(name.c_str());
  ::unlink(copy.c_str());
}

TEST_F(PacketPort, ReadsTheNullDevice) {
  open(unique_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)),
       unique_fd(::open("/dev/null", O_WRONLY | O_CLOEXEC)));
  ASSERT_TRUE(seen->wait_end());
  EXPECT_EQ(seen->end->how, kind::end_of_stream);
}

TEST_F(PacketPort, FailsToReadADirectory) {
  open(unique_fd(::open("/", O_RDONLY | O_CLOEXEC)), unique_fd(::open("/dev/null", O_WRONLY)));
  ASSERT_TRUE(seen->wait_end());
  EXPECT_EQ(seen->end->how, kind::read_failed);
  EXPECT_EQ(to_string(*seen->end), "reading failed: Is a directory");
}

} // namespace
