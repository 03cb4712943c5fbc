#include <penning/io/launch.hpp>

#include <penning/io/stdio_targets.hpp>

#include <penning/io/pidfd.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <iterator>
#include <new>
#include <string_view>

namespace penning::io {
namespace {

/// execve(2) says ENOENT for a script whose interpreter is missing as well.
std::string describe(const char* step, const launch_job& job, std::error_code error) {
  std::string call = step, path = job.program.first;
  if (call == "chdir")
    return call + " " + job.options.cd;
  if (call != "execve")
    return call;
  bool interpreter = error.value() == ENOENT && ::access(path.c_str(), F_OK) == 0;
  return call + " " + path + (interpreter ? " (its interpreter)" : "");
}

std::vector<const char*> arguments(const launch_options& options) {
  std::vector<const char*> result;
  result.reserve(options.args.size() + 2);
  result.push_back(options.arg0 ? options.arg0->c_str() : options.program.c_str());
  for (const auto& argument : options.args)
    result.push_back(argument.c_str());
  result.push_back(nullptr);
  return result;
}

/// Where a pty takes the place of the pipes, only what does not go to the owner.
std::error_code open_stdio(stdio_pipes& pipes, const launch_options& options, std::string& what) {
  auto open = [&](child_pipe& stream, const stdio_target& target, our_end end) {
    bool is_terminal = options.pty && std::holds_alternative<to_owner>(target);
    return is_terminal ? std::error_code{} : open_target(stream, target, end, what);
  };
  auto error = open(pipes.in, options.stdin, our_end::writes);
  if (!error)
    error = open(pipes.out, options.stdout, our_end::reads);
  if (!error)
    error = open(pipes.err, options.stderr, our_end::reads);
  return error;
}

/// What become 0 to 2 in the child.
std::array<int, 3> child_ends(const stdio_pipes& pipes, const launch_options& options) {
  const auto& err = std::holds_alternative<to_stdout>(options.stderr) ? pipes.out : pipes.err;
  return {pipes.in.theirs.get(), pipes.out.theirs.get(), err.theirs.get()};
}

void close_theirs(stdio_pipes& pipes) {
  pipes.in.theirs.reset();
  pipes.out.theirs.reset();
  pipes.err.theirs.reset();
  pipes.terminal.theirs.reset();
}

/// One launch, step by step; each says whether the next may follow.
class attempt {
 public:
  attempt(const launch_job& job, clone_launcher& launcher, const launch_surroundings& around)
      : job_(job),
        launcher_(launcher),
        around_(around) {
    result_.orphans = job.options.orphans;
    result_.mark = job.mark;
    result_.contained_by = job.contained_by;
  }

  launched_child run() {
    if (open_streams() && make_namespace() && make_limits() && take_cgroup())
      start();
    if (result_.error)
      give_back();
    return std::move(result_);
  }

 private:
  /// Before anybody hears of the failure.
  void give_back() {
    around_.groups.release(std::exchange(result_.group, {}), true);
    result_.pipes = {};
    result_.space.reset();
    remove_limits();
  }

  bool fail(std::error_code error, std::string what) {
    result_.error = error;
    result_.what = std::move(what);
    return false;
  }

  bool open_streams() {
    std::string what;
    if (auto error = open_stdio(result_.pipes, job_.options, what))
      return fail(error, what);
    return !job_.options.pty || open_terminal();
  }

  bool open_terminal() {
    auto& terminal = result_.pipes.terminal;
    const char* step = "";
    if (auto error = io::open_terminal(terminal, *job_.options.pty, step))
      return fail(error, step);
    const auto& user = job_.attributes.account.user;
    if (user && ::fchown(terminal.theirs.get(), *user, static_cast<gid_t>(-1)) != 0)
      return fail({errno, std::system_category()}, "fchown of its terminal");
    return true;
  }

  bool make_namespace() {
    if (!job_.options.pid_namespace)
      return true;
    std::error_code error;
    const char* step = "";
    result_.space = pid_namespace::make(launcher_, around_.io, error, step);
    return !error || fail(error, std::string("pid_namespace: ") + step);
  }

  /// The guardian hears of them before anybody can live there.
  bool make_limits() {
    if (!job_.cgroup)
      return true;
    std::string what;
    if (auto error = result_.limits.make(*job_.cgroup, what))
      return fail(error, std::move(what));
    result_.limits_known = around_.keeper.enter();
    for (const auto& directory : result_.limits.directories())
      if (auto error = result_.limits_known.enter(directory.path)) {
        result_.needs_guardian = true;
        return fail(error, guardian::registration::step);
      }
    return true;
  }

  void remove_limits() {
    std::vector<std::string> paths;
    for (const auto& directory : result_.limits.directories())
      paths.push_back(directory.path);
    if (!result_.limits.remove())
      for (const auto& path : paths)
        result_.limits_known.forget(path);
  }

  bool take_cgroup() {
    if (around_.groups.version() == 0
        || (job_.cgroup && around_.groups.is_replaced_by(*job_.cgroup)))
      return true;
    std::error_code error;
    result_.group = around_.groups.acquire(error);
    return !error || fail(error, "mkdir " + around_.groups.path());
  }

  void start() {
    auto error = execute();
    for (bool is_last = false; has_lost_group(error) && !is_last;) {
      is_last = result_.group.is_new; // all that were spare may have been removed
      result_.group = around_.groups.acquire(error);
      error = error ? error : execute();
    }
    result_.group.close();
    result_.limits.close();
    close_theirs(result_.pipes);
    result_.needs_guardian =
      error && launcher_.failed_step() == std::string_view(guardian::registration::step);
    if (error)
      fail(error, is_of_limits(error) ? "enter cgroup " + result_.limits.names()
                                      : describe(launcher_.failed_step(), job_, error));
  }

  /// Whether somebody has removed the group: clone3(2) says ENODEV then, or ENOENT, as the
  /// kernel is.
  bool has_lost_group(std::error_code error) const {
    return result_.group && launcher_.failed_step() == std::string_view("clone")
           && (error.value() == ENODEV || error.value() == ENOENT);
  }

  /// The errors of clone3(2) for CLONE_INTO_CGROUP, or those of a move under v1.
  bool is_of_limits(std::error_code error) const {
    constexpr int refusals[] = {EACCES, EBUSY, ENODEV, EOPNOTSUPP};
    const std::string_view step = launcher_.failed_step();
    return !result_.limits.empty()
           && (step == "enter cgroup"
               || (step == "clone"
                   && std::ranges::find(refusals, error.value()) != std::end(refusals)));
  }

  std::error_code execute() {
    auto argv = arguments(job_.options), env = job_.environment.pointers();
    const auto& pipes = result_.pipes;
    auto& next = launcher_.next;
    launcher_.env = env.data();
    next.stdio = child_ends(pipes, job_.options);
    next.new_session = job_.options.session;
    if (job_.options.pty)
      enter_terminal(next, pipes.terminal, job_.options);
    if (!job_.options.cd.empty())
      next.directory = job_.options.cd.c_str();
    const auto moves = enter_cgroups(next);
    next.cgroups = moves;
    boost::system::error_code failure;
    result_.process = execute(argv.data(), failure);
    return failure;
  }

  /// A v2 cgroup is the one to be born in; returns the others.
  std::vector<int> enter_cgroups(clone_launcher::settings& next) const {
    std::vector<int> moves;
    auto enter = [&](int version, int directory) {
      if (version == 2)
        next.cgroup = directory;
      else
        moves.push_back(directory);
    };
    if (result_.group)
      enter(around_.groups.version(), result_.group.files.directory.get());
    for (const auto& directory : result_.limits.directories())
      enter(directory.version, directory.open.get());
    return moves;
  }

  /// The guardian knows our control groups; a process group has to be made known to it.
  launched_process execute(const char** argv, boost::system::error_code& failure) {
    const auto& program = job_.program.first;
    attribute_setter attributes(job_.attributes); // last: it may give up rights
    if (result_.space) {
      auto inside = result_.space->enter();
      return launcher_(around_.io, failure, program, argv, inside, attributes);
    }
    if (around_.groups.version() != 0)
      return launcher_(around_.io, failure, program, argv, attributes);
    result_.registration = around_.keeper.enter();
    return launcher_(around_.io, failure, program, argv, *result_.registration, attributes);
  }

  const launch_job& job_;
  clone_launcher& launcher_;
  const launch_surroundings& around_;
  launched_child result_;
};

} // namespace

launched_child launch(const launch_job& job, clone_launcher& launcher,
                      const launch_surroundings& around) {
  try {
    return attempt(job, launcher, around).run();
  } catch (const std::bad_alloc&) { // nothing is allocated once there is a process
    launched_child failed;
    failed.error = std::make_error_code(std::errc::not_enough_memory);
    failed.what = "start";
    return failed;
  }
}

void abandon(launched_child& child) noexcept {
  siginfo_t info{};
  ::kill(-child.process.pid, SIGKILL);
  is_dead(child.process.pidfd.get(), -1);
  ::waitid(P_PIDFD, static_cast<id_t>(child.process.pidfd.get()), &info, WEXITED);
  child.limits.remove();
}

} // namespace penning::io
