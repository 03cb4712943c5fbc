#include "processes.hpp"
#include "recorder.hpp"
#include "refusal.hpp"
#include "status_of_child.hpp"
#include "subprocess.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace penning::io;
using namespace penning::io::test;

namespace {

using testing::HasSubstr;
using what = capability_change::kind;

launch_options command(std::vector<std::string> args) {
  launch_options result{.program = args.front()};
  result.args.assign(args.begin() + 1, args.end());
  return result;
}
launch_options status() {
  return command({"/bin/cat", "/proc/self/status"});
}
launch_options with(std::vector<resource_limit> limits) {
  auto result = command({"/bin/cat", "/proc/self/limits"});
  result.rlimits = std::move(limits);
  return result;
}
launch_options with(capability_change change) {
  auto result = status();
  result.capabilities = std::move(change);
  return result;
}

/// A mask as /proc/PID/status has it.
std::string mask(std::initializer_list<int> numbers) {
  std::uint64_t bits = 0;
  for (int number : numbers)
    bits |= std::uint64_t{1} << number;
  char text[17];
  std::snprintf(text, sizeof text, "%016lx", static_cast<unsigned long>(bits));
  return text;
}
/// What is left of another mask.
std::string without(const std::string& other, int number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016lx", std::stoul(other, nullptr, 16) & ~(1UL << number));
  return text;
}

// ---- what is refused ----

TEST(ChildAttributes, AreRefusedOutOfTheirRange) {
  launch_options options{.program = "x"};
  options.umask = 01000;
  EXPECT_EQ(refusal(options), "umask|512|must be 0 to 511 (octal 0777)");
  options.umask = 0777;
  EXPECT_EQ(refusal(options), "");
  for (int nice : {-21, 20}) {
    options.nice = nice;
    EXPECT_EQ(refusal(options), "nice|" + std::to_string(nice) + "|must be -20 to 19");
  }
  for (int nice : {-20, 19}) {
    options.nice = nice;
    EXPECT_EQ(refusal(options), "");
  }
}

TEST(ChildAttributes, HaveLimitsThatExistOnceAndInOrder) {
  EXPECT_EQ(refusal(with({{"nofile", 10, 20}, {"core", 0, 0}, {"as"}})), "");
  EXPECT_EQ(refusal(with({{"nofiles", 10, 20}})), "rlimits|nofiles|no such limit");
  EXPECT_EQ(refusal(with({{""}})), "rlimits||no such limit");
  EXPECT_EQ(refusal(with({{"core", 0, 0}, {"core", 0, 0}})), "rlimits|core|is given twice");
  EXPECT_EQ(refusal(with({{"nofile", 20, 10}})),
            "rlimits|nofile|the soft limit 20 is above the hard limit 10");
  EXPECT_EQ(refusal(with({{"nofile", {}, 10}})),
            "rlimits|nofile|the soft limit infinity is above the hard limit 10");
}

TEST(ChildAttributes, HaveCapabilitiesThatExist) {
  EXPECT_EQ(refusal(with({what::keep, {"chown", "cap_chown", "CAP_NET_RAW", "Sys_Time"}})), "");
  EXPECT_EQ(refusal(with({what::keep, {}})), "");
  for (const char* name : {"chow", "", "7", "chown,kill", "chown kill", "all", "cap_"})
    EXPECT_EQ(refusal(with({what::drop, {name}})),
              std::string("capabilities|") + name + "|no such capability");
  const std::string nul("chown\0x", 7);
  EXPECT_EQ(refusal(with({what::drop, {nul}})), "capabilities|" + nul + "|no such capability");
}

// ---- what anybody may change ----

struct AttributesOfAChild : testing::Test {
  context host;
};

TEST_F(AttributesOfAChild, AreThoseOfTheRuntimeByDefault) {
  status_of_child ours(read_file("/proc/self/status")), child(finished(host, status()));
  for (const char* name : {"Umask", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs"})
    EXPECT_EQ(child[name], ours[name]) << name;
  EXPECT_EQ(finished(host, with(std::vector<resource_limit>{})).out,
            read_file("/proc/self/limits"));
}

TEST_F(AttributesOfAChild, SetItsUmask) {
  for (auto [umask, seen] : {std::pair{0U, "0000"}, {027U, "0027"}, {0777U, "0777"}}) {
    auto options = status();
    options.umask = umask;
    EXPECT_EQ(status_of_child(finished(host, options))["Umask"], seen);
  }
}

TEST_F(AttributesOfAChild, SetItsNiceness) {
  auto options = command({"/usr/bin/nice"});
  options.nice = 7;
  EXPECT_EQ(finished(host, options).out, "7\n");
  options.nice = 19;
  EXPECT_EQ(finished(host, options).out, "19\n");
}

TEST_F(AttributesOfAChild, SetItsLimits) {
  auto options = command({"/bin/sh", "-c", "ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -Hc"});
  options.rlimits = {{"nofile", 20, 30}, {"core", 0, 0}};
  EXPECT_EQ(finished(host, options).out, "20\n30\n0\n0\n");
}

// Each name and the constant that is meant by it, as the kernel spells it.
TEST_F(AttributesOfAChild, SetEachLimitByItsName) {
  const std::pair<const char*, const char*> names[] = {{"as", "Max address space"},
                                                       {"core", "Max core file size"},
                                                       {"cpu", "Max cpu time"},
                                                       {"data", "Max data size"},
                                                       {"fsize", "Max file size"},
                                                       {"locks", "Max file locks"},
                                                       {"memlock", "Max locked memory"},
                                                       {"msgqueue", "Max msgqueue size"},
                                                       {"nice", "Max nice priority"},
                                                       {"nofile", "Max open files"},
                                                       {"nproc", "Max processes"},
                                                       {"rss", "Max resident set"},
                                                       {"rtprio", "Max realtime priority"},
                                                       {"rttime", "Max realtime timeout"},
                                                       {"sigpending", "Max pending signals"},
                                                       {"stack", "Max stack size"}};
  auto number_of = [](const std::string& limits, const std::string& name) {
    auto line = limits.find("\n" + name);
    EXPECT_NE(line, limits.npos) << name;
    return std::stoul("0" + limits.substr(line + 27)); // the columns have fixed widths
  };
  auto before = read_file("/proc/self/limits");
  for (auto [name, title] : names) {
    // within the hard limit that there is: 0 for those of the real-time scheduler
    bool is_zero = std::string(name) == "nice" || std::string(name).starts_with("rt");
    std::uint64_t value = is_zero ? 0 : std::string(name) == "nproc" ? 4321 : 123'456'789;
    if (std::string(name) == "nofile" || std::string(name) == "sigpending")
      value = 321;
    if (std::string(name) == "memlock" || std::string(name) == "msgqueue")
      value = 4321;
    auto seen = finished(host, with({{name, value, value}}));
    ASSERT_FALSE(seen.failure) << name << ": " << seen.failure->second;
    EXPECT_EQ(number_of(seen.out, title), value) << name;
  }
}

TEST_F(AttributesOfAChild, TakeAnOmittedLimitForInfinity) {
  auto options = command({"/bin/sh", "-c", "ulimit -Sc; ulimit -Hc"});
  options.rlimits = {{"core"}};
  rlimit ours{};
  ::getrlimit(RLIMIT_CORE, &ours);
  if (ours.rlim_max != RLIM_INFINITY)
    GTEST_SKIP() << "core files are limited here";
  EXPECT_EQ(finished(host, options).out, "unlimited\nunlimited\n");
}

TEST_F(AttributesOfAChild, KeepItFromNewPrivileges) {
  auto options = status();
  options.no_new_privs = true;
  EXPECT_EQ(status_of_child(finished(host, options))["NoNewPrivs"], "1");
}

TEST_F(AttributesOfAChild, GiveItASessionWhoseGroupIsSignalledAsEver) {
  launch_options options{.program = program("stubborn_family")};
  options.session = true;
  auto child = std::make_shared<recorder>();
  host.start(options, child);
  ASSERT_TRUE(child->wait_text("\n"));
  auto handle = child->look().handle;
  EXPECT_EQ(::getsid(handle->pid()), handle->pid());
  EXPECT_EQ(::getpgid(handle->pid()), handle->pid());
  auto family = hold(child->look().out);
  handle->signal(SIGUSR1, signal_target::group);
  for (auto& process : family)
    EXPECT_TRUE(process.dies_within(deadline));
  EXPECT_TRUE(child->wait_end());
}

TEST_F(AttributesOfAChild, ClearItsEnvironment) {
  auto options = command({"/usr/bin/env"});
  options.clear_env = true;
  options.env = {{"A", "1"}};
  EXPECT_EQ(finished(host, options).out, "A=1\n");
}

// ---- what takes root ----

struct PrivilegesOfAChild : AttributesOfAChild {
  void SetUp() override {
    if (::geteuid() != 0)
      GTEST_SKIP() << "only root has capabilities to give or to take";
  }
};

TEST_F(PrivilegesOfAChild, AreThoseThatItKeepsAsRoot) {
  status_of_child child(finished(host, with({what::keep, {"chown", "CAP_KILL"}})));
  auto kept = mask({CAP_CHOWN, CAP_KILL});
  for (const char* name : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
    EXPECT_EQ(child[name], kept) << name;
}

TEST_F(PrivilegesOfAChild, AreThoseThatItKeepsAsAnotherUser) {
  auto options = with({what::keep, {"net_bind_service"}});
  options.uid = "nobody";
  status_of_child child(finished(host, options));
  EXPECT_EQ(child["Uid"], "65534 65534 65534 65534");
  for (const char* name : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
    EXPECT_EQ(child[name], mask({CAP_NET_BIND_SERVICE})) << name;
}

TEST_F(PrivilegesOfAChild, AreKeptUnderNoNewPrivilegesAsWell) {
  auto options = with({what::keep, {"net_bind_service"}});
  options.uid = "nobody";
  options.no_new_privs = true;
  status_of_child child(finished(host, options));
  EXPECT_EQ(child["NoNewPrivs"], "1");
  EXPECT_EQ(child["CapEff"], mask({CAP_NET_BIND_SERVICE}));
}

TEST_F(PrivilegesOfAChild, AreNoneWhenNoneIsKept) {
  status_of_child child(finished(host, with({what::keep, {}})));
  EXPECT_EQ(child["Uid"], "0 0 0 0");
  for (const char* name : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
    EXPECT_EQ(child[name], mask({})) << name;
}

TEST_F(PrivilegesOfAChild, LackThoseThatItDrops) {
  status_of_child ours(read_file("/proc/self/status"));
  status_of_child child(finished(host, with({what::drop, {"chown"}})));
  for (const char* name : {"CapPrm", "CapEff", "CapBnd"})
    EXPECT_EQ(child[name], without(ours[name], CAP_CHOWN)) << name;
  EXPECT_EQ(child["CapAmb"], mask({}));
}

TEST_F(PrivilegesOfAChild, LackThoseThatItNeedsToChangeItsUser) {
  auto options = with({what::drop, {"setuid", "setgid", "setpcap"}});
  options.uid = "nobody";
  status_of_child child(finished(host, options));
  EXPECT_EQ(child["Uid"], "65534 65534 65534 65534");
  EXPECT_EQ(child["CapEff"], mask({}));
}

TEST_F(PrivilegesOfAChild, LetItSetItsNicenessBeforeItGivesThemUp) {
  auto options = command({"/usr/bin/nice"});
  options.uid = "nobody";
  options.nice = -5;
  EXPECT_EQ(finished(host, options).out, "-5\n");
}

// A runtime that is not root but has ambient capabilities, as systemd gives them to a service.
TEST(PrivilegesOfAChildOfNobody, AreNotTheAmbientOnesOfTheRuntimeWhenTheUserChanges) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "only root has capabilities to pass on";
  EXPECT_EQ(in_subprocess([] {
              ::prctl(PR_SET_KEEPCAPS, 1);
              if (::setresgid(1, 1, 1) != 0 || ::setresuid(1, 1, 1) != 0)
                return 1;
              __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
              __user_cap_data_struct words[2]{};
              const unsigned bits = 1U << CAP_SETUID | 1U << CAP_SETGID;
              words[0] = {bits, bits, bits};
              if (::syscall(SYS_capset, &header, words) != 0
                  || ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETUID, 0, 0) != 0)
                return 2;
              context host;
              if (status_of_child(finished(host, status()))["CapAmb"] != mask({CAP_SETUID}))
                return 3;
              auto options = status();
              options.uid = "nobody";
              status_of_child child(finished(host, options));
              if (child["Uid"] != "65534 65534 65534 65534")
                return 4;
              return child["CapAmb"] == mask({}) && child["CapEff"] == mask({}) ? 0 : 5;
            }),
            0);
}

// ---- what the kernel does not permit ----

/// The failure of a start by an unprivileged runtime, as "errno step".
template <class Change>
int refused_to_nobody(int error, const std::string& step, Change change) {
  return in_subprocess([&] {
    if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0)
      return 1;
    rlimit limit{64, 64};
    ::setrlimit(RLIMIT_NOFILE, &limit);
    context host;
    auto options = status();
    change(options);
    auto seen = finished(host, options);
    if (!seen.failure)
      return 2;
    if (seen.failure->second != step)
      return 3;
    return seen.failure->first.value() == error && host.children() == 0 ? 0 : 4;
  });
}

TEST(AttributesOfAChildOfNobody, AreAFailedStartThatNamesTheSystemCall) {
  EXPECT_EQ(refused_to_nobody(EPERM, "setrlimit nofile",
                              [](auto& x) {
                                x.rlimits = {{"nofile", 64, 65}};
                              }),
            0);
  EXPECT_EQ(refused_to_nobody(EACCES, "setpriority", [](auto& x) { x.nice = -5; }), 0);
  EXPECT_EQ(refused_to_nobody(EPERM, "prctl(PR_CAPBSET_DROP)",
                              [](auto& x) {
                                x.capabilities = {what::drop, {"chown"}};
                              }),
            0);
}

// Its bounding set has nothing left to drop.
TEST(AttributesOfAChildOfNobody, CannotKeepWhatTheRuntimeHasNot) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "only root can empty its bounding set";
  EXPECT_EQ(in_subprocess([] {
              for (int number = 0; ::prctl(PR_CAPBSET_READ, number) >= 0; ++number)
                ::prctl(PR_CAPBSET_DROP, number);
              if (::setresuid(65534, 65534, 65534) != 0)
                return 1;
              context host;
              // without a right to it nothing can be taken either, and need not
              if (finished(host, with({what::keep, {}})).failure)
                return 2;
              auto seen = finished(host, with({what::keep, {"chown"}}));
              return seen.failure && seen.failure->second == "capset" ? 0 : 3;
            }),
            0);
}

} // namespace
