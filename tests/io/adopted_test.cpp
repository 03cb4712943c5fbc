#include "support/foreign_process.hpp"

#include <penning/io/adopted.hpp>
#include <penning/io/context.hpp>
#include <penning/io/process_group.hpp>

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <system_error>

namespace penning::io {
namespace {

using namespace std::chrono_literals;
using test::foreign_child;
using test::foreign_orphan;
using end = std::optional<exit_status>;

class Adopted : public testing::Test {
 protected:
  std::shared_ptr<adopted> hold(pid_t pid, std::optional<std::uint64_t> start = {}) {
    error_.clear();
    return adopted::hold(context_.asio(), pid, start, error_);
  }

  std::future<end> watch(adopted& process) {
    auto told = std::make_shared<std::promise<end>>();
    process.watch([told](end how) { told->set_value(how); });
    return told->get_future();
  }

  /// Runs after all that the context's thread had to do.
  void barrier() {
    std::promise<void> done;
    boost::asio::post(context_.asio(), [&] { done.set_value(); });
    done.get_future().wait();
  }

  context context_;
  std::error_code error_;
};

TEST_F(Adopted, TellsTheEndOfAStrangerWhoseStatusNobodyCanKnow) {
  foreign_orphan stranger{"exec sleep 1000"};
  auto held = hold(stranger.pid());
  ASSERT_TRUE(held);
  auto told = watch(*held);
  barrier();
  EXPECT_EQ(told.wait_for(0s), std::future_status::timeout);
  EXPECT_FALSE(held->signal(SIGTERM));
  ASSERT_EQ(told.wait_for(30s), std::future_status::ready);
  EXPECT_EQ(told.get(), std::nullopt);
}

TEST_F(Adopted, TellsTheStatusOfAChildOfThisProgramAndLeavesItToBeReaped) {
  foreign_child child{{"/bin/sh", "-c", "exit 3"}};
  auto held = hold(child.pid());
  ASSERT_TRUE(held);
  auto told = watch(*held);
  ASSERT_EQ(told.wait_for(30s), std::future_status::ready);
  EXPECT_EQ(told.get(), (exit_status{exit_status::kind::status, 3, false}));
  EXPECT_EQ(WEXITSTATUS(child.wait()), 3);
  EXPECT_EQ(held->signal(SIGTERM), std::errc::no_such_process);
}

TEST_F(Adopted, IsOnlyTheProcessThatIsMeant) {
  foreign_child child{{"/bin/sleep", "1000"}};
  const auto start = stat_of(child.pid()).value().start;
  EXPECT_FALSE(hold(child.pid(), start + 1));
  EXPECT_EQ(error_, std::errc::no_such_process);
  auto held = hold(child.pid(), start);
  ASSERT_TRUE(held);
  EXPECT_EQ(held->start(), start);
}

TEST_F(Adopted, IsNoProcessThatIsGone) {
  pid_t pid = 0;
  {
    foreign_child child{{"/bin/true"}};
    pid = child.pid();
  }
  EXPECT_FALSE(hold(pid));
  EXPECT_EQ(error_, std::errc::no_such_process);
}

TEST_F(Adopted, TellsNothingOnceItIsLetGo) {
  foreign_child child{{"/bin/sleep", "1000"}};
  auto held = hold(child.pid());
  ASSERT_TRUE(held);
  auto told = watch(*held);
  held->let_go();
  held->signal(SIGKILL);
  child.wait();
  barrier();
  ASSERT_EQ(told.wait_for(30s), std::future_status::ready);
  EXPECT_THROW(told.get(), std::future_error) << "the handler is gone";
}

TEST_F(Adopted, NeedsADescriptorForEachAndSaysSo) {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  foreign_child child{{"/bin/sleep", "1000"}};
  rlimit none = before;
  none.rlim_cur = 0;
  ::setrlimit(RLIMIT_NOFILE, &none);
  auto held = hold(child.pid());
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_FALSE(held);
  EXPECT_EQ(error_, std::errc::too_many_files_open);
}

} // namespace
} // namespace penning::io
