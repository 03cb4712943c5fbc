#include "recorder.hpp"
#include "refusal.hpp"
#include "status_of_child.hpp"
#include "subprocess.hpp"

#include <penning/io/child_account.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <thread>

using namespace penning::io;
using namespace penning::io::test;
namespace fs = std::filesystem;

namespace {

using testing::UnorderedElementsAre;

// Debian's user nobody: see base-passwd(8).
constexpr std::uint32_t nobody = 65534, nogroup = 65534;
constexpr std::uint32_t unknown = 987'654'321;

launch_options with(std::optional<account> uid, std::optional<account> gid = {},
                    std::optional<std::vector<account>> groups = {}, bool allow_root = false) {
  launch_options result{.program = "/bin/cat", .args = {"/proc/self/status"}};
  result.uid = std::move(uid);
  result.gid = std::move(gid);
  result.groups = std::move(groups);
  result.allow_root = allow_root;
  return result;
}

/// Mounts of this process's own from here on, which no other sees. Not where the root is no mount
/// point, as in a mere chroot(2).
bool has_private_mounts() {
  return ::unshare(CLONE_NEWNS) == 0
         && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

struct ChildAccountInADatabase : testing::Test {
  void SetUp() override {
    if (in_subprocess([] { return has_private_mounts() ? 0 : 1; }) != 0)
      GTEST_SKIP() << "it would be everybody's database";
  }
};

/// With databases of its own, which no other process sees.
template <class Body>
int with_databases(const std::string& users, const std::string& groups, Body body) {
  return in_subprocess([&] {
    auto folder = fs::path(testing::TempDir()) / ("penning accounts " + std::to_string(getpid()));
    fs::create_directories(folder);
    std::ofstream(folder / "passwd") << users;
    std::ofstream(folder / "group") << groups;
    bool is_private = has_private_mounts();
    for (const char* name : {"passwd", "group"})
      is_private = is_private
                   && ::mount((folder / name).c_str(), (fs::path("/etc") / name).c_str(), nullptr,
                              MS_BIND, nullptr)
                        == 0;
    int result = is_private ? body() : 99;
    std::error_code busy; // while mounted the files remain until this process has ended
    fs::remove_all(folder, busy);
    return result;
  });
}

constexpr auto users = "root:x:0:0::/:/bin/sh\n"
                       "toor:x:0:0::/:/bin/sh\n"
                       "ann:x:4001:5001::/:/bin/sh\n"
                       "operator:x:4002:0::/:/bin/sh\n"
                       "wheeled:x:4003:5001::/:/bin/sh\n";
constexpr auto groups = "root:x:0:wheeled\n"
                        "people:x:5001:\n"
                        "audio:x:5002:ann\n"
                        "video:x:5003:ann,wheeled\n";

// ---- what is refused ----

TEST(ChildAccount, IsRefusedWhenNobodyKnowsIt) {
  EXPECT_EQ(refusal(with("no-such-user")), "uid|no-such-user|no such user");
  EXPECT_EQ(refusal(with("")), "uid||no such user");
  EXPECT_EQ(refusal(with("nobody", "no-such-group")), "gid|no-such-group|no such group");
  EXPECT_EQ(refusal(with("nobody", {}, {{"no-such-group"}})), "groups|no-such-group|no such group");
  const std::string nul("nobody\0x", 8);
  EXPECT_EQ(refusal(with(nul)), "uid|" + nul + "|contains a NUL byte");
  EXPECT_EQ(refusal(with({}, nul)), "gid|" + nul + "|contains a NUL byte");
}

TEST(ChildAccount, NeedsAGroupWhenItIsANumberThatNobodyKnows) {
  EXPECT_EQ(refusal(with(unknown)),
            "uid|987654321|no such user: without one it needs a gid as well");
  EXPECT_EQ(refusal(with(unknown, unknown)), "");
}

TEST(ChildAccount, IsNotTheNumberThatMeansUnchanged) {
  const std::uint32_t unchanged = UINT32_MAX;
  EXPECT_EQ(refusal(with(unchanged, nogroup)), "uid|4294967295|is no id");
  EXPECT_EQ(refusal(with(nobody, unchanged)), "gid|4294967295|is no id");
  EXPECT_EQ(refusal(with(nobody, {}, {{unchanged}})), "groups|4294967295|is no id");
}

TEST(ChildAccount, IsRootOnlyWhereThatIsAllowed) {
  const std::string refused = "|root is refused unless allow_root is set";
  EXPECT_EQ(refusal(with(0U)), "uid|0" + refused);
  EXPECT_EQ(refusal(with("root")), "uid|root" + refused);
  EXPECT_EQ(refusal(with({}, 0U)), "gid|0" + refused);
  EXPECT_EQ(refusal(with({}, "root")), "gid|root" + refused);
  EXPECT_EQ(refusal(with("nobody", {}, {{nogroup, 0U}})), "groups|0" + refused);
  EXPECT_EQ(refusal(with("nobody", {}, {{"root"}})), "groups|root" + refused);
  EXPECT_EQ(refusal(with("root", "root", {{"root"}}, true)), "");
}

TEST_F(ChildAccountInADatabase, IsNotRootByAnotherNameNorByItsGroups) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "only root can have databases of its own";
  EXPECT_EQ(with_databases(users, groups,
                           [] {
                             const std::string refused = "root is refused unless allow_root is set";
                             if (refusal(with("toor")) != "uid|toor|" + refused)
                               return 1;
                             if (refusal(with("operator")) != "uid|operator|its group: " + refused)
                               return 2;
                             if (refusal(with("wheeled"))
                                 != "uid|wheeled|one of its groups: " + refused)
                               return 3;
                             if (!refusal(with("wheeled", {}, std::vector<account>{})).empty())
                               return 4;
                             return refusal(with("operator", "people")).empty() ? 0 : 5;
                           }),
            0);
}

// ---- what it means ----

TEST(ChildAccount, ChangesNothingUnlessAsked) {
  EXPECT_FALSE(resolve_account({.program = "x"}).changes());
}

TEST_F(ChildAccountInADatabase, BringsItsGroupsAsInitgroupsDoes) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "only root can have databases of its own";
  EXPECT_EQ(with_databases(users, groups,
                           [] {
                             for (account ann : {account("ann"), account(4001U)}) {
                               auto found = resolve_account(with(ann));
                               if (found.user != 4001 || found.group != 5001)
                                 return 1;
                               std::sort(found.groups->begin(), found.groups->end());
                               if (found.groups != std::vector<gid_t>{5001, 5002, 5003})
                                 return 2;
                             }
                             // another group takes the place of the primary one
                             auto found = resolve_account(with("ann", "video"));
                             std::sort(found.groups->begin(), found.groups->end());
                             return found.groups == std::vector<gid_t>{5002, 5003} ? 0 : 3;
                           }),
            0);
}

TEST_F(ChildAccountInADatabase, FindsMoreGroupsThanFitAtFirst) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "only root can have databases of its own";
  std::string many;
  for (int i = 0; i < 1000; ++i)
    many += "g" + std::to_string(i) + ":x:" + std::to_string(10'000 + i) + ":ann\n";
  // and a record that is longer than a first guess
  many += "crowd:x:9000:" + std::string(20'000, 'z') + "\n";
  EXPECT_EQ(with_databases(users, many,
                           [] {
                             if (resolve_account(with("ann")).groups->size() != 1001)
                               return 1;
                             return resolve_account(with({}, "crowd")).group == 9000 ? 0 : 2;
                           }),
            0);
}

// ---- what the child is ----

struct AccountOfAChild : testing::Test {
  context host;

  void SetUp() override {
    if (::geteuid() != 0)
      GTEST_SKIP() << "only root can change the user of a child";
  }
};

TEST_F(AccountOfAChild, IsThatOfTheRuntimeByDefault) {
  status_of_child ours(read_file("/proc/self/status"));
  status_of_child child(finished(host, with({})));
  for (const char* name : {"Uid", "Gid", "Groups", "CapEff", "CapBnd"})
    EXPECT_EQ(child[name], ours[name]) << name;
}

TEST_F(AccountOfAChild, IsRealEffectiveAndSavedAlike) {
  status_of_child child(finished(host, with("nobody")));
  EXPECT_EQ(child["Uid"], "65534 65534 65534 65534");
  EXPECT_EQ(child["Gid"], "65534 65534 65534 65534");
  EXPECT_EQ(child["Groups"], "65534");
  EXPECT_EQ(child["CapEff"], "0000000000000000");
  EXPECT_EQ(child["CapPrm"], "0000000000000000");
}

TEST_F(AccountOfAChild, MayBeANumberThatNobodyKnows) {
  status_of_child child(finished(host, with(unknown, 4321U)));
  EXPECT_EQ(child["Uid"], "987654321 987654321 987654321 987654321");
  EXPECT_EQ(child["Gid"], "4321 4321 4321 4321");
  EXPECT_EQ(child["Groups"], "");
}

TEST_F(AccountOfAChild, MayBeOnlyAnotherGroup) {
  status_of_child ours(read_file("/proc/self/status"));
  status_of_child child(finished(host, with({}, "nogroup")));
  EXPECT_EQ(child["Uid"], ours["Uid"]);
  EXPECT_EQ(child["Gid"], "65534 65534 65534 65534");
  EXPECT_EQ(child["Groups"], ours["Groups"]);
}

TEST_F(AccountOfAChild, HasTheGroupsThatAreListed) {
  EXPECT_EQ(status_of_child(finished(host, with("nobody", {}, {{7U, "nogroup"}})))["Groups"],
            "7 65534");
  EXPECT_EQ(status_of_child(finished(host, with("nobody", {}, std::vector<account>{})))["Groups"],
            "");
  EXPECT_EQ(status_of_child(finished(host, with({}, {}, {{7U}})))["Groups"], "7");
}

TEST_F(AccountOfAChild, EntersItsDirectoryWithItsOwnRights) {
  auto folder = fs::path(testing::TempDir()) / ("penning private " + std::to_string(getpid()));
  fs::create_directories(folder);
  fs::permissions(folder, fs::perms::owner_all);
  auto options = with("nobody");
  options.cd = folder;
  auto seen = finished(host, options);
  ASSERT_TRUE(seen.failure);
  EXPECT_EQ(seen.failure->first.value(), EACCES);
  EXPECT_EQ(seen.failure->second, "chdir " + folder.string());
  fs::remove_all(folder);
}

// The memory that a child shares with its parent becomes undumpable when the child changes its
// user.
TEST_F(AccountOfAChild, LeavesTheRuntimeDumpable) {
  ASSERT_EQ(::prctl(PR_GET_DUMPABLE), 1);
  finished(host, with("nobody"));
  EXPECT_EQ(::prctl(PR_GET_DUMPABLE), 1);
  auto failing = with("nobody");
  failing.program = "/nosuch";
  EXPECT_TRUE(finished(host, failing).failure);
  EXPECT_EQ(::prctl(PR_GET_DUMPABLE), 1);
}

TEST_F(AccountOfAChild, LeavesTheRuntimeDumpableFromSeveralContextsAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([] {
      context own;
      for (int round = 0; round < 10; ++round)
        EXPECT_TRUE(finished(own, with("nobody")).end);
    });
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(::prctl(PR_GET_DUMPABLE), 1);
}

TEST_F(AccountOfAChild, LeavesEachThreadOfTheRuntimeWhatItIs) {
  auto before = status_of_child(read_file("/proc/self/status"));
  finished(host, with("nobody"));
  for (const auto& thread : fs::directory_iterator("/proc/self/task"))
    for (const char* name : {"Uid", "Gid", "Groups", "CapEff", "CapBnd", "NoNewPrivs", "Umask"})
      EXPECT_EQ(status_of_child(read_file(thread.path() / "status"))[name], before[name]) << name;
}

TEST(AccountOfAChildOfNobody, CannotBeChanged) {
  EXPECT_EQ(in_subprocess([] {
              if (::geteuid() == 0 && ::setresuid(nobody, nobody, nobody) != 0)
                return 1;
              context host;
              auto user = finished(host, with("daemon")), group = finished(host, with({}, 7U));
              if (!user.failure || user.failure->first.value() != EPERM)
                return 2;
              if (user.failure->second != "setgroups")
                return 3;
              if (!group.failure || group.failure->first.value() != EPERM)
                return 4;
              return group.failure->second == "setresgid" ? 0 : 5;
            }),
            0);
}

} // namespace
