#pragma once

#include "processes.hpp"
#include "recorder.hpp"

#include <penning/io/cgroup_mounts.hpp>

#include <gtest/gtest.h>

namespace penning::io::test {

namespace fs = std::filesystem;

inline const auto mounts = cgroup_mounts();
inline const std::string my_name = "penning_test_" + std::to_string(::getpid());

inline std::string text_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

/// The v1 hierarchy of a controller; these tests need root, and controllers under v1.
inline std::string root_of(const std::string& controller) {
  const auto* found = find_controller(mounts, controller);
  return found != nullptr ? found->root : "";
}

/// A controller that the v2 hierarchy has.
inline std::string v2_controller() {
  std::string first;
  if (const auto* unified = find_unified(mounts))
    std::ifstream(unified->root + "/cgroup.controllers") >> first;
  return first;
}

/// A directory that a runtime has left in any hierarchy, or nothing.
inline std::string left_of_runtime(pid_t pid) {
  const auto part = "-" + std::to_string(pid) + "-";
  for (const auto& mount : mounts)
    for (const auto& where : {mount.root, mount.own, mount.root + "/" + my_name}) {
      std::error_code none;
      for (const auto& entry : fs::directory_iterator(where, none))
        if (entry.is_directory() && entry.path().filename().string().find(part) != part.npos)
          return entry.path();
    }
  return "";
}

inline launch_options with(cgroup_options cgroup, std::string program,
                           std::vector<std::string> args) {
  return {.program = std::move(program), .args = std::move(args), .cgroup = std::move(cgroup)};
}

/// A child whose first line is the text of its /proc/self/cgroup, and which then waits for its end.
inline launch_options tells_cgroup(cgroup_options cgroup) {
  return with(std::move(cgroup), "/bin/sh",
              {"-c", "cat /proc/self/cgroup; echo ready; read x; exit 0"});
}

/// Leaves nothing in the hierarchies: what a child's own control group was made in goes as well.
struct Cgroup : testing::Test {
  void SetUp() override {
    if (::getuid() != 0)
      GTEST_SKIP() << "only root may make control groups here";
    for (const char* name : {"memory", "cpu", "pids"})
      if (root_of(name).empty())
        GTEST_SKIP() << "the controller " << name << " is not mounted under v1";
  }
  void TearDown() override {
    for (const auto& mount : mounts)
      for (const char* below : {"/deep", ""})
        ::rmdir((mount.root + "/" + my_name + below).c_str());
  }

  std::shared_ptr<recorder> start(launch_options options) {
    auto result = std::make_shared<recorder>();
    host->start(std::move(options), result);
    return result;
  }
  std::shared_ptr<recorder> ready(cgroup_options cgroup) {
    auto result = start(tells_cgroup(std::move(cgroup)));
    EXPECT_TRUE(result->wait_text("ready\n"));
    return result;
  }
  std::string refusal(cgroup_options cgroup) {
    try {
      start(with(std::move(cgroup), "/bin/true", {}));
      return "";
    } catch (const option_error& error) {
      return error.what();
    }
  }
  static cgroup_statistics statistics_of(const std::shared_ptr<recorder>& child) {
    return child->look().handle->statistics();
  }
  static void end(const std::shared_ptr<recorder>& child) {
    child->look().handle->close_stdin();
    ASSERT_TRUE(child->wait_end());
  }

  std::unique_ptr<context> host = std::make_unique<context>();
  std::string path = my_name + "/deep/child";
};

} // namespace penning::io::test
