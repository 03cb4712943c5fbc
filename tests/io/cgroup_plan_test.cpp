#include <penning/io/cgroup_plan.hpp>
#include <penning/io/launch_options.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace penning::io;
namespace fs = std::filesystem;

namespace {

const std::vector<cgroup_hierarchy> hybrid{
  {1, {"cpu", "cpuacct"}, "/v1/cpu", "/v1/cpu/me"},
  {1, {"pids"}, "/v1/pids", "/v1/pids"},
  {1, {"blkio"}, "/v1/blkio", "/v1/blkio/me"},
  {2, {}, "/v2", "/v2/me"},
};
const cgroup_home home{"/v2", "/v2/me/runtime", "child"};

std::vector<std::string> paths(const cgroup_plan& plan) {
  std::vector<std::string> result;
  for (const auto& x : plan.directories)
    result.push_back("v" + std::to_string(x.version) + " " + x.path);
  return result;
}

std::vector<std::string> lines(const cgroup_plan& plan) {
  std::vector<std::string> result;
  for (const auto& x : plan.settings)
    result.push_back(x.file + " " + x.value);
  return result;
}

using strings = std::vector<std::string>;

TEST(CgroupPlan, HasOneDirectoryInEachHierarchy) {
  auto plan =
    plan_cgroup({.controllers = {"cpuacct"}, .path = "a/b", .cpu = 1, .pids = 2}, hybrid, home);
  EXPECT_EQ(paths(plan), (strings{"v1 /v1/cpu/a/b", "v1 /v1/pids/a/b"}));
  EXPECT_EQ(way_to(plan.directories[0]), (strings{"/v1/cpu", "/v1/cpu/a"}));
}

TEST(CgroupPlan, PrefersTheHierarchyThatIsKnownToHaveTheController) {
  EXPECT_EQ(paths(plan_cgroup({.path = "a", .memory = 1, .pids = 2}, hybrid, home)),
            (strings{"v2 /v2/a", "v1 /v1/pids/a"}));
  EXPECT_EQ(paths(plan_cgroup({.path = "a", .io = {{"8:0", 1}}}, hybrid, home)),
            (strings{"v1 /v1/blkio/a"}));
}

TEST(CgroupPlan, MakesUpANameBelowTheBase) {
  EXPECT_EQ(paths(plan_cgroup({.base = "a/b", .pids = 1}, hybrid, home)),
            (strings{"v1 /v1/pids/a/b/child"}));
}

TEST(CgroupPlan, IsTheRuntimesOwnWithoutAPlace) {
  auto plan = plan_cgroup({.memory = 1, .cpu = 1}, hybrid, home);
  EXPECT_EQ(paths(plan), (strings{"v2 /v2/me/runtime/child", "v1 /v1/cpu/me/child"}));
  EXPECT_EQ(way_to(plan.directories[0]), (strings{"/v2/me", "/v2/me/runtime"}));
}

TEST(CgroupPlan, WritesTheLimitsAndThenTheSetsInOrder) {
  auto plan = plan_cgroup({.path = "a",
                           .sets = {{"pids", "x", "1"}, {"blkio", "y", "2"}, {"pids", "x", "3"}},
                           .pids = 9,
                           .io = {{"8:0", 7}}},
                          hybrid, home);
  EXPECT_EQ(lines(plan),
            (strings{"/v1/pids/a/pids.max 9", "/v1/blkio/a/blkio.throttle.read_bps_device 8:0 7",
                     "/v1/pids/a/x 1", "/v1/blkio/a/y 2", "/v1/pids/a/x 3"}));
}

TEST(CgroupPlan, NamesTheControllerThatIsMountedNowhere) {
  try {
    plan_cgroup({.memory = 5}, {hybrid[0]}, home);
    FAIL();
  } catch (const option_error& error) {
    EXPECT_STREQ(error.what(),
                 "limits.memory \"5\": no hierarchy with the controller \"memory\" is mounted");
  }
}

// -- what is there, in a directory that looks like a v2 hierarchy ---------------------------------

struct CgroupCheck : testing::Test {
  std::string root = testing::TempDir() + "penning_plan_" + std::to_string(::getpid());

  CgroupCheck() {
    fs::create_directories(root);
    file("cgroup.controllers", "cpu memory\n");
    file("cgroup.subtree_control", "memory\n");
  }
  ~CgroupCheck() override { fs::remove_all(root); }

  void file(const std::string& name, const std::string& text) const {
    fs::create_directories(fs::path(root + "/" + name).parent_path());
    std::ofstream(root + "/" + name) << text;
  }
  std::string refusal(const cgroup_options& options, const std::string& own = {}) const {
    try {
      check(plan_cgroup(options, {{2, {}, root, root + own}}, {{}, {}, "child"}));
      return "";
    } catch (const option_error& e) {
      return e.what();
    }
  }
};

TEST_F(CgroupCheck, AcceptsWhatIsEnabledOrCanBe) {
  EXPECT_EQ(refusal({.path = "a/b", .memory = 1, .cpu = 1}), "");
  EXPECT_EQ(refusal({.memory = 1}), "");
}

TEST_F(CgroupCheck, NamesTheControllerThatIsMissing) {
  EXPECT_EQ(refusal({.path = "a", .pids = 5}),
            "limits.pids \"5\": the controller is in no v1 hierarchy "
            "and not in "
              + root + "/cgroup.controllers");
  EXPECT_EQ(refusal({.controllers = {"nonsense"}}),
            "cgroup_controllers \"nonsense\": the controller is in no v1 hierarchy and not in "
              + root + "/cgroup.controllers");
}

TEST_F(CgroupCheck, NamesTheCommandThatEnablesAController) {
  file("me/cgroup.controllers", "memory\n");
  EXPECT_EQ(refusal({.cpu = 2}, "/me"),
            "limits.cpu \"2\": the controller is in no v1 hierarchy and not "
            "in "
              + root + "/me/cgroup.controllers; to enable it: echo " + "+cpu > " + root
              + "/cgroup.subtree_control");
}

TEST_F(CgroupCheck, SaysWhereNobodyMayLive) {
  file("me/cgroup.controllers", "memory\n");
  file("me/cgroup.subtree_control", "\n");
  file("me/cgroup.type", "domain\n");
  file("me/cgroup.procs", "4711\n");
  EXPECT_EQ(refusal({.memory = 5}, "/me"),
            "limits.memory \"5\": the controller cannot be enabled while processes live in " + root
              + "/me itself (echo +memory > " + root
              + "/me/cgroup.subtree_control): give a cgroup_base elsewhere");
  file("me/cgroup.subtree_control", "memory\n");
  EXPECT_EQ(refusal({.memory = 5}, "/me"), "");
}

TEST_F(CgroupCheck, NamesAPathThatExists) {
  file("a/cgroup.subtree_control", "memory\n");
  file("a/b/cgroup.subtree_control", "memory\n");
  EXPECT_EQ(refusal({.path = "a/b", .memory = 1}),
            "cgroup_path \"a/b\": " + root + "/a/b exists already");
  EXPECT_EQ(refusal({.path = "a/c", .memory = 1}), "");
  EXPECT_EQ(refusal({.base = "a/b", .memory = 1}), "");
  EXPECT_EQ(refusal({.path = "cgroup.controllers/c", .memory = 1}),
            "cgroup_path \"cgroup.controllers/c\": " + root
              + "/cgroup.controllers may not be written: Not a directory");
}

/// As one who may not write, which root may always.
struct unprivileged {
  unprivileged() { (void)(was_root && ::seteuid(65534) == 0); }
  ~unprivileged() {
    if (was_root && ::seteuid(0) == 0)
      ::prctl(PR_SET_DUMPABLE, 1); // which the change of user has taken away
  }
  bool was_root = ::geteuid() == 0;
};

TEST_F(CgroupCheck, NamesADirectoryOrAFileThatMayNotBeWritten) {
  fs::create_directories(root + "/a");
  file("a/cgroup.subtree_control", "memory\n");
  ::chmod(root.c_str(), 0777);
  ::chmod((root + "/a").c_str(), 0555);
  ::chmod((root + "/cgroup.subtree_control").c_str(), 0444);
  unprivileged now;
  EXPECT_EQ(refusal({.base = "a/b/c", .memory = 1}),
            "cgroup_base \"a/b/c\": " + root + "/a may not be written: Permission denied");
  EXPECT_EQ(refusal({.path = "b", .cpu = 1}),
            "limits.cpu \"1\": the controller is not enabled in " + root
              + "/cgroup.subtree_control; to enable it: echo +cpu > " + root
              + "/cgroup.subtree_control");
}

} // namespace
