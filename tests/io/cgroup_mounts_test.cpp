#include <penning/io/cgroup_mounts.hpp>

#include <gtest/gtest.h>

using namespace penning::io;

namespace {

TEST(CgroupMounts, OfAUnifiedHierarchy) {
  auto mounts = parse_cgroup_mounts(
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw\n",
    "0::/user.slice/user-1000.slice\n");
  ASSERT_EQ(mounts.size(), 1U);
  EXPECT_EQ(
    *find_unified(mounts),
    (cgroup_hierarchy{2, {}, "/sys/fs/cgroup", "/sys/fs/cgroup/user.slice/user-1000.slice"}));
  EXPECT_EQ(find_controller(mounts, "memory"), nullptr);
}

TEST(CgroupMounts, OfBothVersionsAtOnce) {
  auto mounts = parse_cgroup_mounts(
    "31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "32 30 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
    "33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n",
    "3:cpu,cpuacct:/a\n2:name=systemd:/b\n0::/c\n");
  ASSERT_EQ(mounts.size(), 3U);
  EXPECT_EQ(find_controller(mounts, "cpuacct")->own, "/sys/fs/cgroup/cpu,cpuacct/a");
  EXPECT_EQ(find_controller(mounts, "name=systemd")->own, "/sys/fs/cgroup/systemd/b");
  EXPECT_EQ(find_unified(mounts)->own, "/sys/fs/cgroup/unified/c");
}

TEST(CgroupMounts, OfAContainerThatSeesOnlyItsPart) {
  auto mounts = parse_cgroup_mounts("30 23 0:26 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
                                    "0::/docker/1/inner\n");
  EXPECT_EQ(find_unified(mounts)->own, "/sys/fs/cgroup/inner");
  mounts = parse_cgroup_mounts("30 23 0:26 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
                               "0::/../elsewhere\n");
  EXPECT_EQ(find_unified(mounts)->own, "/sys/fs/cgroup");
}

TEST(CgroupMounts, WithABlankInItsPath) {
  auto mounts = parse_cgroup_mounts("30 23 0:26 / /my\\040groups rw - cgroup2 none rw\n", "0::/\n");
  EXPECT_EQ(find_unified(mounts)->root, "/my groups");
}

TEST(CgroupMounts, AreNoneOfOtherLines) {
  EXPECT_TRUE(parse_cgroup_mounts("", "").empty());
  EXPECT_TRUE(parse_cgroup_mounts("nonsense\n1 2 3 - \n36 35 98:0 / / rw - ext4 /dev/vda rw\n",
                                  "nonsense\n::\n")
                .empty());
}

} // namespace
