#include <penning/io/context.hpp>

#include <penning/io/child_handle.hpp>
#include <penning/io/guardian.hpp>
#include <penning/io/launch_threads.hpp>
#include <penning/io/option_checks.hpp>
#include <penning/io/orphan_reaper.hpp>
#include <penning/io/running_child.hpp>
#include <penning/io/stdio_targets.hpp>

#include <boost/asio/post.hpp>

#include <pthread.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <new>
#include <thread>
#include <unordered_map>
#include <utility>

namespace penning::io {
namespace {

namespace asio = boost::asio;

std::error_code error_of(int number) {
  return {number, std::system_category()};
}

constexpr std::size_t launcher_count = 2;

/// Which versions of control groups to try, in this order.
std::vector<int> versions_of(containment_choice choice) {
  switch (choice) {
  case containment_choice::strongest: return {2, 1};
  case containment_choice::cgroup_v2: return {2};
  case containment_choice::cgroup_v1: return {1};
  default: return {};
  }
}

bool is_subreaper() {
  int answer = 0;
  return ::prctl(PR_GET_CHILD_SUBREAPER, &answer) == 0 && answer != 0;
}

struct sigaction action_for_child_signals() {
  struct sigaction action {};
  ::sigaction(SIGCHLD, nullptr, &action);
  return action;
}

/// A host that ignores SIGCHLD has its children reaped by the kernel, see wait(2).
bool ignores_child_signals() {
  const auto action = action_for_child_signals();
  return action.sa_handler == SIG_IGN || (action.sa_flags & SA_NOCLDWAIT) != 0;
}

/// Signals of a fault stay open: blocked, they would end the process without its handlers.
sigset_t all_but_faults() {
  sigset_t set;
  sigfillset(&set);
  for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS})
    sigdelset(&set, number);
  return set;
}

/// Where SIGCHLD means nothing, the children's parents let it in: to them it is nothing then. Were
/// it blocked there, the kernel would wake another thread at each end of a child, to ignore it. But
/// where the host has blocked it, it waits for it, and a thread of ours would take it away.
void mask_child_signals(int how) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  ::pthread_sigmask(how, &set, nullptr);
}

} // namespace

struct context::state {
  std::shared_ptr<loop> shared = std::make_shared<loop>();
  asio::io_context& io = shared->io;
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  std::atomic<std::size_t> count = 0;
  read_buffer buffer;
  runtime_cgroup groups;
  guardian keeper{io};
  child_surroundings around{.io = io,
                            .buffer = buffer,
                            .groups = groups,
                            .before_reaping = [this](pid_t pid) { before_reaping(pid); },
                            .after_end = [this](const running_child& child) { forget(child); },
                            .after_removal = [this](const auto& x) { keeper.forget(x); }};
  launch_threads launchers{{io, keeper, groups}, [this](launch_job job, launched_child child) {
                             launched(std::move(job), std::move(child));
                           }};
  /// A number that one has given back may be another's before the first is forgotten.
  std::unordered_multimap<pid_t, std::shared_ptr<running_child>> children;
  std::atomic<std::size_t> launching = 0; ///< Not in `children` yet, though it may be running.
  std::optional<orphan_reaper> reaper;    ///< Of a subreaper.
  std::atomic<bool> stopping = false;
  std::thread thread;

  explicit state(const context_options& options) : groups(versions_of(options.containment)) {
    if (options.containment != containment_choice::subreaper)
      return;
    reaper.emplace(
      io, [this] { return launching != 0; },
      [this](pid_t pid) { return children.contains(pid) || keeper.is(pid); });
    around.adopted = &reaper->orphans();
  }

  void check(containment_choice wanted) const;
  void run();
  containment_kind contained(const launch_options& options) const;
  std::optional<cgroup_plan> plan(const launch_options& options);
  void start(launch_job job);
  void launch(launch_job job);
  void launched(launch_job job, launched_child child);
  void begin(launch_job& job, launched_child& child);
  void refuse(launch_job& job, std::error_code error, std::string what);
  void before_reaping(pid_t pid);
  void remove(pid_t pid, const running_child* child);
  void forget(const running_child& child);
  void stop_if_done();
};

/// The new threads inherit the mask.
void context::state::run() {
  sigset_t mask = all_but_faults(), before;
  ::pthread_sigmask(SIG_BLOCK, &mask, &before);
  const bool drops_child_signals =
    !sigismember(&before, SIGCHLD) && action_for_child_signals().sa_handler == SIG_DFL;
  try {
    mask_child_signals(drops_child_signals ? SIG_UNBLOCK : SIG_BLOCK);
    launchers.run(launcher_count);
    mask_child_signals(SIG_BLOCK);
    thread = std::thread([this] { io.run(); });
  } catch (...) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void context::state::check(containment_choice wanted) const {
  const char* problem = nullptr;
  if (wanted == containment_choice::subreaper && !is_subreaper())
    problem = "this process is no child subreaper; contain_program makes it one";
  else if (wanted != containment_choice::strongest && !versions_of(wanted).empty()
           && groups.version() == 0)
    problem = "no control group of this version may be made here";
  if (problem != nullptr)
    throw option_error("containment", std::string(to_string(wanted)), problem);
}

/// Throws `option_error` if that is less than is required.
containment_kind context::state::contained(const launch_options& options) const {
  auto kind = options.pid_namespace   ? containment_kind::pid_namespace
              : groups.version() != 0 ? containment_kind::cgroup
              : reaper                ? containment_kind::subreaper
                                      : containment_kind::process_group;
  if (options.require_containment && kind < *options.require_containment)
    throw option_error("require_containment", std::string(to_string(*options.require_containment)),
                       "this runtime has only: " + std::string(to_string(kind)));
  return kind;
}

/// On any thread. Throws `option_error` for a control group that cannot be made.
std::optional<cgroup_plan> context::state::plan(const launch_options& options) {
  if (!options.cgroup)
    return {};
  auto result = plan_cgroup(*options.cgroup, cgroup_mounts(), groups.home());
  if (result.directories.empty())
    return {};
  io::check(result);
  if (!options.cgroup->path)
    for (const auto& directory : result.directories)
      groups.clean(way_to(directory).back());
  return result;
}

/// On any thread. Only the context's own can bring a guardian.
void context::state::start(launch_job job) {
  if (keeper.is_ready())
    return launch(std::move(job));
  asio::post(io, [this, job = std::move(job)]() mutable {
    if (auto error = stopping ? std::error_code{} : keeper.ensure())
      refuse(job, error, keeper.failed_step());
    else
      launch(std::move(job));
  });
}

/// On any thread.
void context::state::launch(launch_job job) {
  std::error_code error;
  std::string what;
  if (stopping)
    error = error_of(ECANCELED), what = "start: the context is being destroyed";
  else if (job.program.second)
    error = job.program.second, what = "find " + job.options.program + " in PATH";
  else if (ignores_child_signals())
    error = error_of(ECHILD), what = "start: this process ignores SIGCHLD";
  else
    return ++launching, launchers.push(std::move(job));
  asio::post(io, [this, job = std::move(job), error, what = std::move(what)]() mutable {
    refuse(job, error, std::move(what));
  });
}

/// On a launching thread.
void context::state::launched(launch_job job, launched_child child) {
  asio::post(io, [this, job = std::move(job), child = std::move(child)]() mutable {
    begin(job, child);
    --launching;
  });
}

/// Once more with a new guardian if the child could not register with the one there was.
void context::state::begin(launch_job& job, launched_child& child) {
  if (child.needs_guardian && job.attempts++ == 0) {
    if (auto error = keeper.replace())
      return refuse(job, error, keeper.failed_step());
    return launch(std::move(job));
  }
  if (child.error)
    return refuse(job, child.error, std::move(child.what));
  pid_t pid = child.process.pid;
  if (child.registration)
    keeper.registered(pid, *child.registration);
  std::shared_ptr<running_child> running;
  auto give_up = [&](std::error_code error, const char* what) {
    before_reaping(pid);
    abandon(child);
    remove(pid, running.get());
    refuse(job, error, what);
  };
  std::shared_ptr<child_handle> handle;
  try {
    running = std::make_shared<running_child>(around, job.observer);
    handle = std::make_shared<child_handle>(shared, running);
    children.emplace(pid, running);
  } catch (const std::bad_alloc&) {
    return give_up(error_of(ENOMEM), "start");
  }
  for (const auto& directory : child.limits.directories())
    keeper.registered(directory.path, child.limits_known);
  if (auto error = running->begin(child))
    return give_up(error, "epoll_ctl");
  if (stopping)
    running->signal(SIGKILL, signal_target::group);
  job.observer->on_started(std::move(handle));
}

void context::state::refuse(launch_job& job, std::error_code error, std::string what) {
  auto observer = std::move(job.observer);
  --count;
  observer->on_start_failed(error, std::move(what));
  stop_if_done();
}

void context::state::before_reaping(pid_t pid) {
  if (groups.version() == 0)
    keeper.forget(pid);
}

void context::state::remove(pid_t pid, const running_child* child) {
  auto [begin, end] = children.equal_range(pid);
  const auto found = std::find_if(begin, end, [=](auto& x) { return x.second.get() == child; });
  if (found != end)
    children.erase(found);
}

void context::state::forget(const running_child& child) {
  remove(child.pid(), &child);
  --count;
  if (reaper && launching == 0 && children.empty())
    reaper->kill_all();
  stop_if_done();
}

/// Only once no child is left. Work of others on this thread is dropped, not waited for.
void context::state::stop_if_done() {
  if (!stopping || count != 0)
    return;
  if (groups.version() != 0)
    keeper.forget(groups.path()); // which the runtime removes itself
  keeper.stop();
  io.stop();
}

context::context(const context_options& options) : state_(std::make_unique<state>(options)) {
  state_->check(options.containment);
  if (state_->groups.version() != 0)
    state_->keeper.enter(state_->groups.path());
  state_->run();
}

context::~context() {
  asio::post(state_->io, [&s = *state_] {
    s.stopping = true;
    for (auto& [pid, child] : s.children)
      child->signal(SIGKILL, signal_target::group);
    s.stop_if_done();
  });
  state_->thread.join();
  state_->launchers.stop();
}

void context::start(launch_options options, std::shared_ptr<child_observer> observer) {
  validate(options);
  launch_job job;
  job.contained_by = state_->contained(options);
  job.cgroup = state_->plan(options);
  if (options.program.find('/') != std::string::npos)
    job.program.first = absolute_path(options, options.program); // execve(2) says if it is none
  else
    job.program = find_program(options);
  job.environment = child_environment(options);
  if (state_->reaper)
    job.environment.add(job.mark = adopted_orphans::next_mark());
  job.attributes = resolve_attributes(options);
  make_stdio_absolute(options);
  job.options = std::move(options);
  job.observer = std::move(observer);
  ++state_->count;
  state_->start(std::move(job));
}

boost::asio::io_context& context::asio() noexcept {
  return state_->io;
}

std::string_view context::containment() const noexcept {
  switch (state_->groups.version()) {
  case 2: return "cgroup v2";
  case 1: return "cgroup v1";
  default:
    return to_string(state_->reaper ? containment_kind::subreaper
                                    : containment_kind::process_group);
  }
}

std::size_t context::children() const noexcept {
  return state_->count;
}

} // namespace penning::io
