#include "penning_program.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

namespace penning::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class PenningTree : public penning_test {
 protected:
  const std::string tree_file = file(R"(
intensity = 3
[[child]]
id = "web"
program = "cat"
[[child]]
id = "jobs"
type = "supervisor"
[[child.child]]
id = "done"
program = "true"
restart = "temporary"
[[child.child]]
id = "worker"
program = "sh"
args = ["-c", "exec cat"]
restart = "transient"
)");
};

TEST_F(PenningTree, ShowsWhatAFileWouldBe) {
  const auto run = run_penning({"tree", tree_file});
  EXPECT_EQ(run.status, 0);
  const auto pad = std::string(tree_file.size(), ' ');
  const auto row = [&pad](const std::string& tree, std::size_t width, const std::string& rest) {
    return tree + pad.substr(width) + "  " + rest + "\n";
  };
  EXPECT_EQ(run.out,
            row("", 0, "TYPE        RESTART    WHAT") + tree_file
              + "  supervisor             one_for_one, at most 3 restarts in 5 s\n"
              + row("├─ web", 6, "worker      permanent  cat")
              + row("└─ jobs", 7, "supervisor  permanent  one_for_one, at most 1 restarts in 5 s")
              + row("   ├─ done", 10, "worker      temporary  true")
              + row("   └─ worker", 12, "worker      transient  sh -c 'exec cat'"));
}

TEST_F(PenningTree, RefusesABadFile) {
  const auto run = run_penning({"tree", file("[[child]]\nid = 1", "bad.toml")});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.err, HasSubstr("bad.toml:2:6: child number 1: id = 1: must be a string"));
}

TEST_F(PenningTree, ShowsTheLiveTree) {
  running_tree tree{tree_file, {"--name", "live"}};
  const auto web = tree.started("web");
  const auto worker = tree.started("jobs/worker");
  tree.started("jobs");
  const auto run = run_penning({"tree"});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.out, AllOf(HasSubstr("live "), HasSubstr("├─ web"), HasSubstr("└─ jobs"),
                             HasSubstr("   └─ worker"), HasSubstr(std::to_string(web.pid())),
                             HasSubstr(std::to_string(worker.pid())),
                             HasSubstr(std::to_string(tree.pid()))));
}

TEST_F(PenningTree, ShowsRestartsAndStatesAsJson) {
  running_tree tree{tree_file, {"--name", "live"}};
  const auto web = tree.started("web");
  tree.started("jobs");
  ::kill(web.pid(), SIGKILL);
  const auto again = tree.started("web", "restarted");
  const auto run = run_penning({"tree", "--json", "--name", "live"});
  const auto view = event::parse(run.out);
  EXPECT_EQ(view["pid"], tree.pid());
  EXPECT_EQ(view["name"], "live");
  const auto& root = view["tree"];
  EXPECT_EQ(root["id"], tree_file);
  const auto& first = root["children"][0];
  EXPECT_EQ(first["id"], "web");
  EXPECT_EQ(first["state"], "running");
  EXPECT_EQ(first["os_pid"], again.pid());
  EXPECT_EQ(first["restarts"], 1);
  const auto& worker = root["children"][1]["children"].back();
  EXPECT_EQ(worker["id"], "worker");
  EXPECT_EQ(worker["restart"], "transient");
}

TEST_F(PenningTree, SaysThatNothingRuns) {
  const auto run = run_penning({"tree"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.err, HasSubstr("no \"penning up\" of this user is running"));
}

TEST_F(PenningTree, AsksWhichOfSeveral) {
  running_tree first{tree_file, {"--name", "first"}};
  running_tree second{tree_file, {"--name", "second"}};
  first.started("web");
  second.started("web");
  const auto run = run_penning({"tree"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.err, HasSubstr("choose with --name: first, second"));
  EXPECT_EQ(run_penning({"tree", "--name", "second"}).status, 0);
  EXPECT_EQ(run_penning({"tree", "--name", "third"}).status, 1);
}

TEST_F(PenningTree, RemovesTheSocketOfAKilledInstance) {
  {
    running_tree tree{tree_file, {"--name", "killed"}};
    tree.started("web");
    tree.signal(SIGKILL);
    tree.wait();
  }
  const auto socket = folder() / "penning" / "killed.sock";
  EXPECT_TRUE(std::filesystem::exists(socket));
  EXPECT_EQ(run_penning({"tree"}).status, 1);
  EXPECT_FALSE(std::filesystem::exists(socket));
}

TEST_F(PenningTree, TakesTheNameOfAKilledInstanceOver) {
  {
    running_tree tree{tree_file, {"--name", "again"}};
    tree.started("web");
    tree.signal(SIGKILL);
    tree.wait();
  }
  running_tree tree{tree_file, {"--name", "again"}};
  tree.started("web");
  EXPECT_EQ(run_penning({"tree", "--name", "again"}).status, 0);
}

TEST_F(PenningTree, SocketIsPrivateAndGoesWithTheInstance) {
  running_tree tree{tree_file, {"--name", "private"}};
  tree.started("web");
  struct stat info {};
  ASSERT_EQ(::stat((folder() / "penning").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  tree.signal(SIGTERM);
  EXPECT_EQ(tree.wait(), 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder() / "penning"));
}

TEST_F(PenningTree, FolderThatIsOpenToOthersIsNotUsed) {
  const auto open = folder() / "penning";
  std::filesystem::create_directory(open);
  std::filesystem::permissions(open, std::filesystem::perms::all);
  const auto run = run_penning({"tree"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.err, HasSubstr("is open to other users"));
}

} // namespace
} // namespace penning::test
