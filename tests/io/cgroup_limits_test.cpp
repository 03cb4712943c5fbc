#include <penning/io/cgroup_limits.hpp>
#include <penning/io/launch_options.hpp>

#include <gtest/gtest.h>

#include <cmath>

using namespace penning::io;

namespace {

const std::string nul("a\0b", 3);

/// What `validate` says, as "option|value|problem".
std::string refusal(const cgroup_options& options) {
  try {
    validate(options);
    return "";
  } catch (const option_error& e) {
    return e.option() + "|" + e.value() + "|" + e.problem();
  }
}

/// As the files would be written: "FILE VALUE", with "?" before what may be missing.
std::vector<std::string> lines(const cgroup_options& options, std::string_view controller,
                               int version) {
  std::vector<std::string> result;
  for (const auto& x : limits_of(options, controller, version))
    result.push_back((x.where_present ? "?" : "") + x.file + " " + x.value);
  return result;
}

using strings = std::vector<std::string>;

TEST(CgroupLimits, OfMemoryCountSwapUnderBothVersions) {
  cgroup_options options{.memory = 64'000'000};
  EXPECT_EQ(lines(options, "memory", 2), (strings{"memory.max 64000000", "?memory.swap.max 0"}));
  EXPECT_EQ(lines(options, "memory", 1),
            (strings{"memory.limit_in_bytes 64000000", "?memory.memsw.limit_in_bytes 64000000"}));
}

TEST(CgroupLimits, OfProcessorsAreAQuotaOfAPeriod) {
  EXPECT_EQ(lines({.cpu = 0.5}, "cpu", 2), (strings{"cpu.max 50000 100000"}));
  EXPECT_EQ(lines({.cpu = 0.5}, "cpu", 1),
            (strings{"cpu.cfs_period_us 100000", "cpu.cfs_quota_us 50000"}));
  EXPECT_EQ(lines({.cpu = 2.5}, "cpu", 2), (strings{"cpu.max 250000 100000"}));
  EXPECT_EQ(lines({.cpu = 0.01}, "cpu", 2), (strings{"cpu.max 1000 100000"}));
  // the kernel takes no quota of less than a millisecond
  EXPECT_EQ(lines({.cpu = 0.001}, "cpu", 2), (strings{"cpu.max 1000 1000000"}));
}

TEST(CgroupLimits, OfProcessesAreTheSameUnderBothVersions) {
  EXPECT_EQ(lines({.pids = 10}, "pids", 2), (strings{"pids.max 10"}));
  EXPECT_EQ(lines({.pids = 10}, "pids", 1), (strings{"pids.max 10"}));
}

TEST(CgroupLimits, OfDevicesAreALineOrAFileForEach) {
  cgroup_options options{.io = {{"8:0", 1, 2, 3, 4}, {.device = "8:16", .write_bytes = 5}}};
  EXPECT_EQ(lines(options, "io", 2),
            (strings{"io.max 8:0 rbps=1 wbps=2 riops=3 wiops=4", "io.max 8:16 wbps=5"}));
  EXPECT_EQ(
    lines(options, "io", 1),
    (strings{"blkio.throttle.read_bps_device 8:0 1", "blkio.throttle.write_bps_device 8:0 2",
             "blkio.throttle.read_iops_device 8:0 3", "blkio.throttle.write_iops_device 8:0 4",
             "blkio.throttle.write_bps_device 8:16 5"}));
  EXPECT_EQ(name_in(1, "io"), "blkio");
  EXPECT_EQ(name_in(2, "io"), "io");
}

TEST(CgroupLimits, AreNoneOfAControllerThatIsOnlyNamed) {
  EXPECT_TRUE(lines({.controllers = {"memory"}}, "memory", 2).empty());
}

TEST(CgroupLimits, NeedTheirControllersAndThoseThatAreNamedEachOnce) {
  cgroup_options options{.controllers = {"cpuset", "pids", "cpuset"},
                         .memory = 1,
                         .cpu = 0.25,
                         .pids = 2,
                         .io = {{"8:0", 1}}};
  const std::vector<wanted_controller> expected{{"memory", "limits.memory", "1"},
                                                {"cpu", "limits.cpu", "0.25"},
                                                {"pids", "limits.pids", "2"},
                                                {"io", "limits.io", "8:0"},
                                                {"cpuset", "cgroup_controllers", "cpuset"}};
  EXPECT_EQ(wanted_controllers(options), expected);
  EXPECT_TRUE(wanted_controllers({}).empty());
}

TEST(CgroupOptions, AreAcceptedWhenTheyMakeSense) {
  EXPECT_EQ(refusal({}), "");
  EXPECT_EQ(refusal({.controllers = {"memory"},
                     .base = "a/b",
                     .sets = {{"memory", "memory.max", "1"}, {"pids", "pids.max", "max"}},
                     .pids = 1,
                     .io = {{"8:0", 1}}}),
            "");
  EXPECT_EQ(refusal({.sets = {{"blkio", "blkio.bfq.weight", "1"}}, .io = {{"8:0", 1}}}), "");
  EXPECT_EQ(refusal({.cpu = 0.001}), "");
}

TEST(CgroupOptions, AreRefusedNamingTheLimitAndTheValue) {
  EXPECT_EQ(refusal({.memory = 0}), "limits.memory|0|must be more than 0");
  EXPECT_EQ(refusal({.pids = 0}), "limits.pids|0|must be more than 0");
  const std::string range = "|must be from 0.001 to 1000000 processors";
  EXPECT_EQ(refusal({.cpu = 0.0}), "limits.cpu|0" + range);
  EXPECT_EQ(refusal({.cpu = -1}), "limits.cpu|-1" + range);
  EXPECT_EQ(refusal({.cpu = 0.0009}), "limits.cpu|9e-04" + range);
  EXPECT_EQ(refusal({.cpu = NAN}), "limits.cpu|nan" + range);
  EXPECT_EQ(refusal({.cpu = INFINITY}), "limits.cpu|inf" + range);
}

TEST(CgroupOptions, AreRefusedNamingTheDevice) {
  EXPECT_EQ(refusal({.io = {{"/dev/null", 1}}}), "limits.io|/dev/null|is no block device");
  EXPECT_EQ(refusal({.io = {{"/nosuch", 1}}}), "limits.io|/nosuch|No such file or directory");
  EXPECT_EQ(refusal({.io = {{"8:", 1}}}), "limits.io|8:|No such file or directory");
  EXPECT_EQ(refusal({.io = {{nul, 1}}}), "limits.io|" + nul + "|contains a NUL byte");
  EXPECT_EQ(refusal({.io = {{"8:0"}}}), "limits.io|8:0|nothing is limited");
  EXPECT_EQ(refusal({.io = {{"8:0", 1, 0}}}), "limits.io|8:0|a limit must be more than 0");
}

TEST(CgroupOptions, AreRefusedForAPathThatLeadsElsewhere) {
  for (const char* path : {"", "a//b", "a/", "./a", "a/.", "..", "a/../b"})
    EXPECT_EQ(refusal({.path = path, .pids = 1}),
              "cgroup_path|" + std::string(path)
                + "|has a component that is empty, \".\" or \"..\"");
  EXPECT_EQ(refusal({.base = "/a", .pids = 1}),
            "cgroup_base|/a|must be relative to the root of the hierarchy");
  EXPECT_EQ(refusal({.base = nul, .pids = 1}), "cgroup_base|" + nul + "|contains a NUL byte");
  EXPECT_EQ(refusal({.path = "..a/b.", .pids = 1}), "");
  EXPECT_EQ(refusal({.base = "a", .path = "b", .pids = 1}),
            "cgroup_path|b|cannot be given together with cgroup_base \"a\"");
}

TEST(CgroupOptions, AreRefusedForAPlaceWithoutAController) {
  const std::string problem = "needs a controller (cgroup_controllers) or a limit";
  EXPECT_EQ(refusal({.base = "a"}), "cgroup_base|a|" + problem);
  EXPECT_EQ(refusal({.path = "a"}), "cgroup_path|a|" + problem);
}

TEST(CgroupOptions, AreRefusedForASetThatMeansNothing) {
  EXPECT_EQ(refusal({.controllers = {"pids"}, .sets = {{"memory", "memory.max", "1"}}}),
            "cgroup_sets|memory memory.max=1|the controller \"memory\" is neither in "
            "cgroup_controllers nor needed by a limit");
  for (const char* key : {"", ".", "..", "a/b"})
    EXPECT_EQ(refusal({.controllers = {"pids"}, .sets = {{"pids", key, "1"}}}),
              "cgroup_sets|pids " + std::string(key)
                + "=1|the key must be the name of a file of the cgroup");
  EXPECT_EQ(refusal({.controllers = {"pids"}, .sets = {{"pids", "pids.max", nul}}}),
            "cgroup_sets|pids pids.max=" + nul + "|contains a NUL byte");
  EXPECT_EQ(refusal({.controllers = {""}}), "cgroup_controllers||must not be empty");
  EXPECT_EQ(refusal({.controllers = {nul}}), "cgroup_controllers|" + nul + "|contains a NUL byte");
}

TEST(CgroupOptions, AreLookedAtWithTheOtherOptions) {
  EXPECT_THROW(validate(launch_options{.program = "ls", .cgroup = cgroup_options{.memory = 0}}),
               option_error);
}

} // namespace
