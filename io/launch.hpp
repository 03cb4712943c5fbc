#pragma once

// Not installed: the way from options to a running process, off the context's thread.

#include <penning/io/child.hpp>
#include <penning/io/child_attributes.hpp>
#include <penning/io/clone_launcher.hpp>
#include <penning/io/environment.hpp>
#include <penning/io/guardian.hpp>
#include <penning/io/limited_cgroup.hpp>
#include <penning/io/pid_namespace.hpp>
#include <penning/io/pipes.hpp>
#include <penning/io/pty.hpp>
#include <penning/io/runtime_cgroup.hpp>

#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace penning::io {

/// Our ends of a child's pipes, and for a moment the child's own.
struct stdio_pipes {
  child_pipe in, out, err;
  pseudo_terminal terminal; ///< In place of the pipes if the child has one.
};

/// Everything that a launch needs of the caller's surroundings, taken in the caller's thread.
struct launch_job {
  launch_options options{};
  std::pair<std::string, std::error_code> program{};
  io::environment environment{};
  child_attributes attributes{};
  std::string mark{};                  ///< In the environment, for `adopted_orphans`.
  std::optional<cgroup_plan> cgroup{}; ///< Checked; its own one, if it asked for one.
  std::shared_ptr<child_observer> observer{};
  containment_kind contained_by = containment_kind::process_group;
  unsigned attempts = 0;
};

/// What came of it: a process, or an error and nothing else.
struct launched_child {
  launched_process process{};
  stdio_pipes pipes{};
  child_cgroup group{};
  limited_cgroup limits{};
  std::optional<pid_namespace> space{};
  std::optional<guardian::registration> registration{}; ///< Of its process group.
  guardian::registration limits_known{};                ///< Of `limits`.
  orphan_policy orphans = orphan_policy::kill;
  std::string mark{};
  containment_kind contained_by = containment_kind::process_group;
  std::error_code error{};
  std::string what{};          ///< With an error: the step and its object.
  bool needs_guardian = false; ///< With an error: there was none to register with.
};

/// What all launches of a context share; thread safe.
struct launch_surroundings {
  boost::asio::io_context& io;
  guardian& keeper;
  runtime_cgroup& groups;
};

/// Launches a child by a launcher of the calling thread, which must live as long as the child.
launched_child launch(const launch_job& job, clone_launcher& launcher,
                      const launch_surroundings& around);

/// Kills and reaps one that nobody can take over.
void abandon(launched_child& child) noexcept;

} // namespace penning::io
