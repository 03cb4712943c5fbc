#include "cgroups.hpp"

#include <boost/asio/post.hpp>

#include <future>

#include <sys/stat.h>

using namespace penning::io;
using namespace penning::io::test;

namespace {

/// The control groups of children that have ended are given to the next ones.
struct SpareCgroup : testing::Test {
  void SetUp() override {
    if (host.containment() != "cgroup v2")
      GTEST_SKIP() << "there are none here";
    live_at_once(host, 1);
    place = left_of_runtime(::getpid());
  }

  void barrier() {
    std::promise<void> done;
    boost::asio::post(host.asio(), [&] { done.set_value(); });
    done.get_future().wait();
  }

  std::vector<fs::path> groups() const {
    std::vector<fs::path> result;
    for (const auto& entry : fs::directory_iterator(place))
      if (entry.is_directory())
        result.push_back(entry.path());
    return result;
  }

  context host;
  fs::path place;
};

TEST_F(SpareCgroup, IsGivenToTheNextChild) {
  const auto before = groups();
  ASSERT_EQ(before.size(), 1U);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(finished(host, {.program = "true"}).end->status, exit_status{});
  EXPECT_EQ(groups(), before);
}

TEST_F(SpareCgroup, ThatSomebodyHasRemovedIsDoneWithout) {
  live_at_once(host, 40); // some of which are held open
  for (int round = 0; round < 2; ++round) {
    for (const auto& group : groups())
      ASSERT_EQ(::rmdir(group.c_str()), 0) << group;
    live_at_once(host, 3);
    const auto seen = finished(host, {.program = "true"});
    EXPECT_FALSE(seen.failure) << seen.failure->second;
  }
}

TEST_F(SpareCgroup, IsNotAskedForByAHandleThatOutlivesItsContext) {
  auto other = std::make_unique<context>();
  const auto handle = started(*other, "never_reads")->look().handle;
  EXPECT_NE(handle->statistics(), cgroup_statistics{});
  other.reset();
  EXPECT_EQ(handle->statistics(), cgroup_statistics{});
}

TEST_F(SpareCgroup, WithCgroupsBelowItIsRemovedWithThem) {
  const auto child = started(host, "never_reads");
  ASSERT_EQ(::mkdir((groups().at(0) / "below").c_str(), 0755), 0);
  child->look().handle->signal(SIGKILL, signal_target::leader);
  ASSERT_TRUE(child->wait_end());
  EXPECT_TRUE(groups().empty());
}

TEST_F(SpareCgroup, TakesDescriptorsOnlyForAFew) {
  const auto before = open_descriptors();
  for (int round = 0; round < 3; ++round) {
    live_at_once(host, 200);
    barrier();
    EXPECT_LE(open_descriptors(), before + 3 * 32);
  }
}

} // namespace
