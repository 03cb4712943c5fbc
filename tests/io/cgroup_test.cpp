#include "cgroups.hpp"

#include <gmock/gmock.h>

#include <csignal>

using namespace penning::io;
using namespace penning::io::test;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

// -- where and what -------------------------------------------------------------------------------

TEST_F(Cgroup, OfAPathIsBelowTheRootOfEachHierarchy) {
  auto child = ready({.path = path, .cpu = 0.5, .pids = 20});
  for (const char* controller : {"cpu", "pids"}) {
    const auto directory = root_of(controller) + "/" + path;
    EXPECT_THAT(text_of(directory + "/cgroup.procs"),
                HasSubstr(std::to_string(child->look().handle->pid())));
    EXPECT_THAT(child->look().out, HasSubstr(":" + std::string(controller) + ":/" + path + "\n"));
  }
  EXPECT_EQ(text_of(root_of("cpu") + "/" + path + "/cpu.cfs_quota_us"), "50000\n");
  EXPECT_EQ(text_of(root_of("pids") + "/" + path + "/pids.max"), "20\n");
  end(child);
  EXPECT_FALSE(fs::exists(root_of("cpu") + "/" + path));
  EXPECT_FALSE(fs::exists(root_of("pids") + "/" + path));
  EXPECT_TRUE(fs::exists(root_of("pids") + "/" + my_name + "/deep")) << "the last directory only";
}

TEST_F(Cgroup, OfABaseHasANameOfItsOwnBelowIt) {
  auto one = ready({.controllers = {"pids"}, .base = my_name});
  auto two = ready({.controllers = {"pids"}, .base = my_name});
  const auto part = ":pids:/" + my_name + "/";
  EXPECT_THAT(one->look().out, HasSubstr(part));
  EXPECT_THAT(two->look().out, HasSubstr(part));
  EXPECT_NE(one->look().out, two->look().out);
  end(one);
  end(two);
  EXPECT_THAT(left_of_runtime(::getpid()), Not(HasSubstr(my_name)));
}

TEST_F(Cgroup, OfNoPlaceIsTheRuntimesOwnAndGoes) {
  auto child = ready({.memory = 64'000'000, .pids = 20});
  EXPECT_THAT(child->look().out, HasSubstr("-" + std::to_string(::getpid()) + "-"));
  end(child);
  host.reset();
  EXPECT_EQ(left_of_runtime(::getpid()), "");
}

TEST_F(Cgroup, IsEnteredFromInsideAPidNamespace) {
  auto options = tells_cgroup({.path = path, .pids = 20});
  options.pid_namespace = true;
  auto child = start(options);
  ASSERT_TRUE(child->wait_text("ready\n"));
  EXPECT_THAT(child->look().out, HasSubstr(":pids:/" + path + "\n"));
  end(child);
  EXPECT_FALSE(fs::exists(root_of("pids") + "/" + path));
}

TEST_F(Cgroup, HasItsSetsWrittenInOrder) {
  auto child = ready(
    {.controllers = {"cpu"},
     .path = path,
     .sets = {{"pids", "pids.max", "7"}, {"cpu", "cpu.shares", "100"}, {"pids", "pids.max", "8"}},
     .pids = 6});
  EXPECT_EQ(text_of(root_of("pids") + "/" + path + "/pids.max"), "8\n");
  EXPECT_EQ(text_of(root_of("cpu") + "/" + path + "/cpu.shares"), "100\n");
  end(child);
}

TEST_F(Cgroup, LimitsADevice) {
  std::string device;
  for (const auto& entry : fs::directory_iterator("/sys/block"))
    if (fs::exists("/dev" / entry.path().filename()))
      device = "/dev" / entry.path().filename();
  if (device.empty() || root_of("blkio").empty())
    GTEST_SKIP() << "there is no block device, or no controller blkio under v1";
  auto child = ready({.path = path, .io = {{device, 1'000'000, {}, {}, 50}}});
  const auto directory = root_of("blkio") + "/" + path;
  EXPECT_THAT(text_of(directory + "/blkio.throttle.read_bps_device"), EndsWith(" 1000000\n"));
  EXPECT_THAT(text_of(directory + "/blkio.throttle.write_iops_device"), EndsWith(" 50\n"));
  end(child);
}

TEST_F(Cgroup, OfV2HasItsControllerEnabledOnTheWay) {
  const auto controller = v2_controller();
  if (controller.empty())
    GTEST_SKIP() << "the v2 hierarchy has no controller";
  const auto root = find_unified(mounts)->root;
  for (auto containment : {containment_choice::strongest, containment_choice::process_group}) {
    host = std::make_unique<context>(context_options{containment});
    auto child = ready({.controllers = {controller}, .path = path});
    EXPECT_THAT(child->look().out, HasSubstr("0::/" + path + "\n"));
    EXPECT_THAT(text_of(root + "/" + path + "/cgroup.controllers"), HasSubstr(controller));
    EXPECT_TRUE(statistics_of(child).user.has_value());
    end(child);
    EXPECT_FALSE(fs::exists(root + "/" + path));
    auto own = ready({.controllers = {controller}});
    EXPECT_THAT(own->look().out, HasSubstr("-" + std::to_string(::getpid()) + "-"));
    end(own);
  }
}

// -- what the limits do ---------------------------------------------------------------------------

TEST_F(Cgroup, StopsAForkBombAtItsLimit) {
  for (auto containment : {containment_choice::strongest, containment_choice::cgroup_v1,
                           containment_choice::process_group}) {
    host = std::make_unique<context>(context_options{containment});
    const auto mark = "PENNING_TEST_FAMILY=" + my_name;
    auto options = with({.path = path, .pids = 20}, program("family"), {"bomb+setsid"});
    options.env = {{"PENNING_TEST_FAMILY", my_name}};
    auto child = start(options);
    ASSERT_TRUE(child->wait_text("ready\n"));
    const auto events = root_of("pids") + "/" + path + "/pids.events";
    for (auto until = std::chrono::steady_clock::now() + deadline;
         text_of(events) == "max 0\n" && std::chrono::steady_clock::now() < until;)
      ;
    EXPECT_NE(text_of(events), "max 0\n");
    EXPECT_LE(statistics_of(child).pids.value_or(0), 20U);
    EXPECT_LE(living_with(mark).size(), 20U);
    child->look().handle->signal(SIGKILL, signal_target::leader);
    ASSERT_TRUE(child->wait_end());
    EXPECT_THAT(living_with(mark), IsEmpty());
    EXPECT_FALSE(fs::exists(root_of("pids") + "/" + path));
  }
}

const std::vector<std::string> eats_memory{"-c", "x=$(head -c 300000000 /dev/zero | tr '\\0' x)"};

TEST_F(Cgroup, TellsThatTheKernelKilledForWantOfMemory) {
  auto child = start(with({.memory = 20'000'000}, "/bin/bash", eats_memory));
  ASSERT_TRUE(child->wait_end());
  EXPECT_TRUE(child->look().end->usage.oom_killed);
  EXPECT_EQ(child->look().end->status, (exit_status{exit_status::kind::signal, SIGKILL, false}));
}

TEST_F(Cgroup, TellsItOfADescendantToo) {
  auto child = start(
    with({.memory = 20'000'000}, "/bin/bash", {"-c", "bash -c \"$0\"; exit 3", eats_memory[1]}));
  ASSERT_TRUE(child->wait_end());
  EXPECT_TRUE(child->look().end->usage.oom_killed);
  EXPECT_EQ(child->look().end->status.code, 3);
}

TEST_F(Cgroup, DoesNotTakeAnotherSigkillForIt) {
  auto child = ready({.memory = 20'000'000});
  child->look().handle->signal(SIGKILL, signal_target::group);
  ASSERT_TRUE(child->wait_end());
  EXPECT_FALSE(child->look().end->usage.oom_killed);
}

TEST_F(Cgroup, TellsAtTheEndOfTheLeaderWhatItsOrphansDo) {
  auto options = tells_cgroup({.memory = 20'000'000});
  options.args = {"-c", "sleep 1000 & exec bash -c \"$0\"", eats_memory[1]};
  options.orphans = orphan_policy::keep;
  auto child = start(options);
  ASSERT_TRUE(child->wait([](const auto& x) { return x.leader_end.has_value(); }));
  EXPECT_TRUE(child->look().leader_end->usage.oom_killed);
  child->look().handle->signal(SIGKILL, signal_target::group);
  ASSERT_TRUE(child->wait_end());
  EXPECT_TRUE(child->look().end->usage.oom_killed);
}

// -- statistics -----------------------------------------------------------------------------------

const char* const busy_script = "for ((i = 0; i < 20000; ++i)); do :; done; echo ready; read x";

TEST_F(Cgroup, TellsWhatItUses) {
  auto child = start(with({.controllers = {"cpuacct"}, .memory = 64'000'000, .pids = 20},
                          "/bin/bash", {"-c", busy_script}));
  ASSERT_TRUE(child->wait_text("ready\n"));
  auto now = statistics_of(child);
  EXPECT_GT(now.memory.value_or(0), 0U);
  EXPECT_GE(now.memory_peak.value_or(0), *now.memory);
  EXPECT_EQ(now.pids, 1U);
  EXPECT_EQ(now.oom_kills, 0U);
  EXPECT_GT((now.user.value_or(0us) + now.system.value_or(0us)).count(), 0);
  auto handle = child->look().handle;
  end(child);
  EXPECT_EQ(handle->statistics(), cgroup_statistics{});
}

TEST_F(Cgroup, TellsOfAChildWithoutLimitsOnlyWhatItUsedItself) {
  context v2{{containment_choice::cgroup_v2}};
  if (v2.containment() != "cgroup v2")
    GTEST_SKIP() << "there is no v2 hierarchy";
  auto run = [&](const char* script) {
    auto child = std::make_shared<recorder>();
    v2.start({.program = "/bin/bash", .args = {"-c", script}}, child);
    EXPECT_TRUE(child->wait_text("ready\n"));
    auto now = statistics_of(child);
    EXPECT_TRUE(now.user && now.system);
    end(child);
    return now.user.value_or(0us);
  };
  auto busy = run(busy_script);
  auto idle = run("echo ready; read x");
  EXPECT_LT(idle, busy / 2) << "the second is in the control group of the first";
}

} // namespace
