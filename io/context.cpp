#include <penning/io/context.hpp>

#include <penning/io/guardian.hpp>
#include <penning/io/running_child.hpp>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include <pthread.h>

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

/// Shared by the context and its children's handles, of which some may live longer than it.
struct loop {
  asio::io_context io{BOOST_ASIO_CONCURRENCY_HINT_1};
};

/// What an owner holds of a child; all its calls go to the thread of the context.
class child_handle final : public child {
 public:
  child_handle(std::shared_ptr<loop> loop, std::shared_ptr<running_child> target)
      : loop_(std::move(loop)),
        target_(std::move(target)) {}
  ~child_handle() override { signal(SIGKILL, signal_target::group); }

  pid_t pid() const noexcept override { return target_->pid(); }
  void grant(output stream, std::size_t bytes) override {
    post([=](running_child& x) { x.grant(stream, bytes); });
  }
  void write(std::vector<char> bytes) override {
    post([bytes = std::move(bytes)](running_child& x) mutable { x.write(std::move(bytes)); });
  }
  void close_stdin() override {
    post([](running_child& x) { x.close_stdin(); });
  }
  void signal(int number, signal_target target) override {
    post([=](running_child& x) { x.signal(number, target); });
  }

 private:
  template <class Function>
  void post(Function f) {
    if (!target_->ended())
      asio::post(loop_->io, [f = std::move(f), to = target_]() mutable { f(*to); });
  }

  std::shared_ptr<loop> loop_; // before target_, whose descriptors are registered with it
  std::shared_ptr<running_child> target_;
};

/// Everything that a launch needs of the caller's surroundings, taken in the caller's thread.
struct launch_job {
  launch_options options;
  std::pair<std::string, std::error_code> program;
  std::vector<std::string> environment;
  std::shared_ptr<child_observer> observer;
};

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

std::vector<const char*> pointers(const std::vector<std::string>& strings) {
  std::vector<const char*> result;
  result.reserve(strings.size() + 2);
  for (const auto& string : strings)
    result.push_back(string.c_str());
  return result;
}

/// A host that ignores SIGCHLD has its children reaped by the kernel, see wait(2).
bool ignores_child_signals() {
  struct sigaction action {};
  ::sigaction(SIGCHLD, nullptr, &action);
  return action.sa_handler == SIG_IGN || (action.sa_flags & SA_NOCLDWAIT) != 0;
}

std::error_code open_pipes(stdio_pipes& pipes) {
  auto error = open_pipe(pipes.in, our_end::writes);
  if (!error)
    error = open_pipe(pipes.out, our_end::reads);
  if (!error)
    error = open_pipe(pipes.err, our_end::reads);
  return error;
}

/// Signals of a fault stay open: blocked, they would end the process without its handlers.
sigset_t all_but_faults() {
  sigset_t set;
  sigfillset(&set);
  for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS})
    sigdelset(&set, number);
  return set;
}

} // namespace

struct context::state {
  std::shared_ptr<loop> shared = std::make_shared<loop>();
  asio::io_context& io = shared->io;
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  std::atomic<std::size_t> count = 0;
  read_buffer buffer;
  clone_launcher launcher;
  guardian keeper{io, launcher};
  child_surroundings around{.io = io,
                            .buffer = buffer,
                            .before_reaping = [this](pid_t pid) { keeper.forget(pid); },
                            .after_end = [this](pid_t pid) { forget(pid); }};
  std::unordered_map<pid_t, std::shared_ptr<running_child>> children;
  bool stopping = false;
  std::thread thread;

  void run();
  void start(launch_job& job);
  void launch(launch_job& job);
  launched_process launch_process(launch_job& job, stdio_pipes& pipes, std::error_code& error,
                                  std::string& what);
  launched_process execute(launch_job& job, stdio_pipes& pipes, std::error_code& error);
  void refuse(launch_job& job, std::error_code error, std::string what);
  void forget(pid_t pid);
  void stop();
};

/// The new thread inherits the mask.
void context::state::run() {
  sigset_t mask = all_but_faults(), before;
  ::pthread_sigmask(SIG_BLOCK, &mask, &before);
  try {
    thread = std::thread([this] { io.run(); });
  } catch (...) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void context::state::start(launch_job& job) {
  if (stopping)
    return refuse(job, error_of(ECANCELED), "start: the context is being destroyed");
  if (job.program.second && job.options.program.find('/') == std::string::npos)
    return refuse(job, job.program.second, "find " + job.options.program + " in PATH");
  if (ignores_child_signals())
    return refuse(job, error_of(ECHILD), "start: this process ignores SIGCHLD");
  try {
    launch(job);
  } catch (const std::bad_alloc&) {
    refuse(job, error_of(ENOMEM), "start");
  }
}

void context::state::launch(launch_job& job) {
  stdio_pipes pipes;
  if (auto error = open_pipes(pipes))
    return refuse(job, error, "pipe2");
  children.reserve(children.size() + 1); // nothing may throw once there is a process
  auto child = std::make_shared<running_child>(around, job.observer);
  auto handle = std::make_shared<child_handle>(shared, child);
  std::error_code error;
  std::string what;
  auto process = launch_process(job, pipes, error, what);
  if (error)
    return refuse(job, error, what);
  pid_t pid = process.pid;
  pipes.in.theirs.reset();
  pipes.out.theirs.reset();
  pipes.err.theirs.reset();
  if ((error = child->begin(std::move(process), std::move(pipes))))
    return refuse(job, error, "epoll_ctl");
  children.emplace(pid, child);
  job.observer->on_started(std::move(handle));
}

/// Once more with a new guardian if the child could not register with the one there is.
launched_process context::state::launch_process(launch_job& job, stdio_pipes& pipes,
                                                std::error_code& error, std::string& what) {
  launched_process process;
  if ((error = keeper.ensure())) {
    what = keeper.failed_step();
    return process;
  }
  process = execute(job, pipes, error);
  if (error && launcher.failed_step() == std::string_view(guardian::registration::step)) {
    if ((error = keeper.replace())) {
      what = keeper.failed_step();
      return process;
    }
    process = execute(job, pipes, error);
  }
  if (error)
    what = describe(launcher.failed_step(), job, error);
  return process;
}

launched_process context::state::execute(launch_job& job, stdio_pipes& pipes,
                                         std::error_code& error) {
  auto argv = pointers(job.options.args), env = pointers(job.environment);
  argv.insert(argv.begin(), (job.options.arg0 ? *job.options.arg0 : job.options.program).c_str());
  argv.push_back(nullptr);
  env.push_back(nullptr);
  launcher.env = env.data();
  launcher.next.stdio = {pipes.in.theirs.get(), pipes.out.theirs.get(), pipes.err.theirs.get()};
  if (!job.options.cd.empty())
    launcher.next.directory = job.options.cd.c_str();
  boost::system::error_code failure;
  auto process = launcher(io, failure, job.program.first, argv.data(), keeper.enter());
  error = failure;
  return process;
}

void context::state::refuse(launch_job& job, std::error_code error, std::string what) {
  --count;
  job.observer->on_start_failed(error, std::move(what));
}

void context::state::forget(pid_t pid) {
  children.erase(pid);
  --count;
  if (stopping && children.empty())
    stop();
}

/// Only once no child is left. Work of others on this thread is dropped, not waited for.
void context::state::stop() {
  keeper.stop();
  io.stop();
}

context::context() : state_(std::make_unique<state>()) {
  state_->run();
}

context::~context() {
  asio::post(state_->io, [&s = *state_] {
    s.stopping = true;
    for (auto& [pid, child] : s.children)
      child->signal(SIGKILL, signal_target::group);
    if (s.children.empty())
      s.stop();
  });
  state_->thread.join();
}

void context::start(launch_options options, std::shared_ptr<child_observer> observer) {
  validate(options);
  auto job = std::make_shared<launch_job>();
  job->program = find_program(options);
  job->environment = child_environment(options);
  job->options = std::move(options);
  job->observer = std::move(observer);
  ++state_->count;
  asio::post(state_->io, [&s = *state_, job] { s.start(*job); });
}

boost::asio::io_context& context::asio() noexcept {
  return state_->io;
}

std::string_view context::containment() const noexcept {
  return "process group with guardian";
}

std::size_t context::children() const noexcept {
  return state_->count;
}

} // namespace penning::io
