#include "processes.hpp"
#include "recorder.hpp"

#include <penning/io/cgroup_mounts.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

using namespace penning::io;
using namespace penning::io::test;
using testing::IsEmpty;

namespace {

namespace fs = std::filesystem;

/// One way of containment, as io_runtime knows it.
struct way {
  const char* name;
  containment_choice choice = containment_choice::strongest;
  bool pid_namespace = false;
  const char* word = "-v2";
};
std::ostream& operator<<(std::ostream& out, const way& x) {
  return out << x.name;
}

const way all_ways[] = {
  {"cgroup_v2", containment_choice::cgroup_v2, false, "-v2"},
  {"cgroup_v1", containment_choice::cgroup_v1, false, "-v1"},
  {"pid_namespace", containment_choice::process_group, true, "-group"},
};
/// For a runtime of its own only: it adopts what it did not start.
const way split{"subreaper", containment_choice::subreaper, false, "-subreaper"};

/// Those of the runtimes in one process, in all hierarchies.
std::size_t directories_of(pid_t runtime) {
  const auto part = "-" + std::to_string(runtime) + "-";
  std::size_t result = 0;
  for (const auto& mount : cgroup_mounts())
    for (const auto& entry : fs::directory_iterator(mount.own)) {
      auto name = entry.path().filename().string();
      result += name.starts_with("penning-") && name.find(part) != std::string::npos;
    }
  return result;
}

struct Containment : testing::TestWithParam<way> {
  std::string mark = "PENNING_TEST_FAMILY=" + std::to_string(::getpid()) + "-"
                     + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count());

  void SetUp() override {
    if (::getuid() != 0)
      GTEST_SKIP() << "only root may make control groups and namespaces here";
  }
  launch_options family(std::vector<std::string> members) const {
    return {.program = program("family"),
            .args = std::move(members),
            .env = {{mark.substr(0, mark.find('=')), mark.substr(mark.find('=') + 1)}},
            .pid_namespace = GetParam().pid_namespace};
  }
  std::shared_ptr<recorder> started_family(child_host& host, std::vector<std::string> members) {
    auto result = std::make_shared<recorder>();
    host.start(family(std::move(members)), result);
    EXPECT_TRUE(result->wait_text("ready\n"));
    return result;
  }
};

const std::vector<std::string> everyone{"setsid", "double_fork+setsid+deaf", "deaf",
                                        "closed+setsid", "setsid+double_fork+closed"};

TEST_P(Containment, LeavesNobodyWhenTheChildIsKilled) {
  context host{{GetParam().choice}};
  for (int round = 0; round < 20; ++round) {
    auto child = started_family(host, everyone);
    child->look().handle->signal(SIGKILL, signal_target::leader);
    ASSERT_TRUE(child->wait_end());
    ASSERT_THAT(living_with(mark), IsEmpty()) << "at the end of the child, not some time later";
  }
}

TEST_P(Containment, LeavesNobodyWhenTheChildExits) {
  context host{{GetParam().choice}};
  auto members = everyone;
  members.push_back("exit");
  for (int round = 0; round < 20; ++round) {
    auto child = started_family(host, members);
    ASSERT_TRUE(child->wait_end());
    ASSERT_EQ(child->look().end->status, exit_status{});
    ASSERT_THAT(living_with(mark), IsEmpty());
  }
}

TEST_P(Containment, WinsAgainstAForkBomb) {
  context host{{GetParam().choice}};
  auto child = started_family(host, {"bomb+setsid"});
  child->look().handle->signal(SIGKILL, signal_target::leader);
  ASSERT_TRUE(child->wait_end());
  EXPECT_THAT(living_with(mark), IsEmpty());
}

/// Runs a runtime in a process of its own, that is in two if it is split.
struct RuntimeOfItsOwn : Containment {
  context host{{containment_choice::process_group}}; // of the test itself
  std::shared_ptr<recorder> runtime;
  pid_t pid = 0; // of the runtime

  void start(const std::vector<std::string>& members) {
    auto options = family(members);
    options.args.insert(options.args.begin(), options.program);
    if (options.pid_namespace)
      options.args.insert(options.args.begin(), "-pid");
    options.args.insert(options.args.begin(), GetParam().word);
    options.program = PENNING_TEST_RUNTIME;
    options.pid_namespace = false;
    runtime = std::make_shared<recorder>();
    host.start(options, runtime);
    ASSERT_TRUE(runtime->wait_text("ready\n"));
    pid = runtime->look().handle->pid();
    if (GetParam().choice == containment_choice::subreaper)
      pid = children_named("io_runtime", pid).at(0);
    bool in_cgroup = std::string(GetParam().word).starts_with("-v");
    EXPECT_EQ(directories_of(pid), in_cgroup ? 1U : 0U);
  }
};

TEST_P(RuntimeOfItsOwn, LeavesNobodyWhenItIsKilled) {
  for (const auto& members : {everyone, std::vector<std::string>{"bomb+setsid"}}) {
    start(members);
    ::kill(pid, SIGKILL);
    EXPECT_THAT(left_after(1s, mark), IsEmpty());
    ASSERT_TRUE(runtime->wait_end());
    EXPECT_EQ(runtime->look().end->status.code, SIGKILL);
    for (auto end = std::chrono::steady_clock::now() + deadline;
         directories_of(pid) != 0 && std::chrono::steady_clock::now() < end;)
      ;
    EXPECT_EQ(directories_of(pid), 0U) << "the guardian removes them";
  }
}

TEST_P(RuntimeOfItsOwn, LeavesNobodyWhenItsChildExits) {
  auto members = everyone;
  members.push_back("exit");
  for (int round = 0; round < 10; ++round) {
    start(members);
    ASSERT_TRUE(runtime->wait_end());
    EXPECT_EQ(runtime->look().end->status, exit_status{});
    EXPECT_THAT(living_with(mark), IsEmpty());
  }
}

const way split_ways[] = {all_ways[0], all_ways[1], all_ways[2], split};
INSTANTIATE_TEST_SUITE_P(Each, RuntimeOfItsOwn, testing::ValuesIn(split_ways),
                         [](const auto& x) { return x.param.name; });

TEST_P(Containment, RemovesItsDirectories) {
  {
    context host{{GetParam().choice}};
    started_family(host, everyone);
    EXPECT_EQ(directories_of(::getpid()), GetParam().pid_namespace ? 0U : 1U);
  }
  EXPECT_EQ(directories_of(::getpid()), 0U);
}

TEST_P(Containment, OfManyChildrenAtOnce) {
  context host{{GetParam().choice}};
  std::vector<std::shared_ptr<recorder>> children;
  for (int i = 0; i < 40; ++i)
    children.push_back(started_family(host, {"setsid+double_fork"}));
  for (const auto& child : children)
    child->look().handle->signal(SIGKILL, signal_target::leader);
  for (const auto& child : children)
    ASSERT_TRUE(child->wait_end());
  EXPECT_THAT(living_with(mark), IsEmpty());
}

// -- orphans that are kept ------------------------------------------------------------------------

struct KeptOrphans : Containment {
  std::shared_ptr<recorder> start(child_host& host, std::vector<std::string> members) {
    auto options = family(std::move(members));
    options.orphans = orphan_policy::keep;
    auto result = std::make_shared<recorder>();
    host.start(options, result);
    EXPECT_TRUE(result->wait([](const auto& x) { return x.leader_end.has_value(); }));
    return result;
  }
};

TEST_P(KeptOrphans, OutliveTheChildWhoseEndIsToldAtOnce) {
  context host{{GetParam().choice}};
  auto child = start(host, {"deaf", "exit"});
  EXPECT_EQ(child->look().leader_end->status, exit_status{});
  EXPECT_EQ(child->look().out, "ready\n");
  EXPECT_FALSE(child->look().end);
  EXPECT_EQ(living_with(mark).size(), 1U);
  child->look().handle->signal(SIGKILL, signal_target::group);
  ASSERT_TRUE(child->wait_end());
  EXPECT_THAT(living_with(mark), IsEmpty());
}

TEST_P(KeptOrphans, HaveTheirOutputDelivered) {
  context host{{GetParam().choice}};
  auto options = family({});
  options.program = "/bin/bash";
  options.args = {"-c",
                  "(trap 'echo late; exit' USR1; echo $BASHPID; while :; do :; done) & exit 3"};
  options.orphans = orphan_policy::keep;
  auto child = std::make_shared<recorder>();
  host.start(options, child);
  ASSERT_TRUE(child->wait([](const auto& x) { return x.leader_end && x.out.ends_with("\n"); }));
  EXPECT_EQ(child->look().leader_end->status.code, 3);
  ::kill(std::stoi(child->look().out), SIGUSR1);
  ASSERT_TRUE(child->wait_end()); // when the last of them is gone
  EXPECT_TRUE(child->look().out.ends_with("late\n")) << child->look().out;
  EXPECT_EQ(child->look().end->status.code, 3);
}

TEST_P(KeptOrphans, GoWithTheContext) {
  {
    context host{{GetParam().choice}};
    start(host, {"deaf", "exit"});
  }
  EXPECT_THAT(living_with(mark), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Each, KeptOrphans,
                         testing::Values(all_ways[0], all_ways[1],
                                         way{"group", containment_choice::process_group, false,
                                             ""}),
                         [](const auto& x) { return x.param.name; });

// -- what is required -----------------------------------------------------------------------------

TEST(RequiredContainment, IsRefusedBeforeTheStartWhereThereIsLess) {
  context host{{containment_choice::process_group}};
  launch_options options{.program = "/bin/true", .require_containment = containment_kind::cgroup};
  try {
    host.start(options, std::make_shared<recorder>());
    FAIL();
  } catch (const option_error& error) {
    EXPECT_STREQ(error.what(), "require_containment \"cgroup\": this runtime has only: process "
                               "group with guardian");
  }
  EXPECT_EQ(host.children(), 0U);
}

TEST(RequiredContainment, IsToldByTheChild) {
  context host{{containment_choice::process_group}};
  auto child = started(host, "never_reads");
  EXPECT_EQ(child->look().handle->contained_by(), containment_kind::process_group);
  EXPECT_EQ(host.containment(), "process group with guardian");
}

INSTANTIATE_TEST_SUITE_P(Each, Containment, testing::ValuesIn(all_ways),
                         [](const auto& x) { return x.param.name; });

} // namespace
