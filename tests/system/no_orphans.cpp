// No orphan, promise 1: families of processes that do all they can to stay (setsid, double fork,
// deaf to SIGTERM, holding stdout, forking without end) are ended by a random cause, under each
// containment, and nothing may survive a second later but what docs/decisions/containment.md
// admits.
//
//   no_orphans [--rounds N] [--containment NAME] [--seed N]
//
// Prints its counts; exits with 1 if anything survived.
#include "io/processes.hpp"

#include <penning/io/unique_fd.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <iostream>
#include <map>
#include <random>
#include <sstream>
#include <stdexcept>

#include <sys/wait.h>

namespace {

using namespace penning::io;
using namespace penning::io::test;

struct containment {
  const char* name;
  const char* word; // for io::containment_choice_of
  bool pid_namespace = false;
  bool holds_setsid = true; ///< Else what leaves the group is admitted to survive.
};
constexpr containment all_containments[] = {{"cgroup_v2", "cgroup_v2"},
                                            {"cgroup_v1", "cgroup_v1"},
                                            {"subreaper", "subreaper"},
                                            {"process_group", "process_group", false, false},
                                            {"pid_namespace", "process_group", true}};

enum class cause {
  close,
  owner_killed,
  leader_killed,
  runtime_killed,
  guardian_killed,
  both_killed
};
constexpr const char* cause_names[] = {"close",          "owner's death",   "supervisor's restart",
                                       "runtime killed", "guardian killed", "both killed"};

/// A runtime in a process of its own, which is talked to by lines.
class runtime {
 public:
  runtime(const containment& how, const std::string& members) {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0)
      throw std::runtime_error("pipe2");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::execl(PENNING_SYSTEM_RUNTIME, "system_runtime", how.word,
              how.pid_namespace ? "pid_namespace" : nullptr, nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    to_.reset(in[1]);
    from_.reset(out[0]);
    tell("next" + members);
    is_split_ = std::strcmp(how.word, "subreaper") == 0;
  }
  ~runtime() {
    to_.reset();
    ::waitpid(pid_, nullptr, 0);
  }
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  void tell(const std::string& line) {
    if (::write(to_.get(), (line + "\n").data(), line.size() + 1) < 0)
      throw std::runtime_error("the runtime is gone");
  }

  std::string hear() {
    std::string line;
    for (char byte; ::read(from_.get(), &byte, 1) == 1 && byte != '\n';)
      line += byte;
    return line;
  }

  /// Waits until a family is complete: its mark and its pid.
  std::pair<std::string, pid_t> hear_up() {
    std::istringstream words(hear());
    std::string up, mark;
    pid_t pid = 0;
    if (!(words >> up >> mark >> pid) || up != "up")
      throw std::runtime_error("the runtime said: " + words.str());
    return {"PENNING_SYSTEM_TEST=" + mark, pid};
  }

  /// Of the runtime proper.
  pid_t pid() const { return is_split_ ? children_named("system_runtime", pid_).at(0) : pid_; }
  pid_t guardian() const {
    auto found = children_named(guardian_comm, pid());
    return found.empty() ? 0 : found[0];
  }

 private:
  pid_t pid_;
  bool is_split_ = false;
  unique_fd to_, from_;
};

class campaign {
 public:
  campaign(const containment& how, unsigned seed) : how_(how), random_(seed) {}

  /// Whether nothing survived that may not.
  bool run(unsigned rounds) {
    start();
    for (unsigned i = 0; i < rounds; ++i)
      play();
    runtime_.reset();
    report(rounds);
    return survivors_ == 0;
  }

 private:
  unsigned below(unsigned limit) {
    return std::uniform_int_distribution<unsigned>(0, limit - 1)(random_);
  }

  std::string random_members() {
    static constexpr const char* words[] = {"setsid", "double_fork", "deaf", "closed"};
    std::string result;
    for (unsigned n = below(5); n > 0; --n) {
      std::string member = "plain";
      for (const auto* word : words)
        if (below(2) == 0)
          member += std::string("+") + word;
      result += " " + member;
    }
    if (below(20) == 0)
      result += " bomb";
    return result;
  }

  void start() {
    members_ = random_members();
    runtime_ = std::make_unique<runtime>(how_, members_);
    std::tie(mark_, leader_) = runtime_->hear_up();
  }

  void play() {
    const auto why = static_cast<cause>(below(how_.pid_namespace ? 6 : 5));
    ++causes_[why];
    const auto mark = mark_, members = members_;
    const auto group = leader_;
    end_by(why);
    const auto survived = guilty_after(std::chrono::seconds(1), mark, group).size();
    survivors_ += survived;
    if (survived > 0)
      std::cout << "  " << survived << " survived, "
                << guilty_after(std::chrono::seconds(10), mark, group).size()
                << " of them for 10 s more: " << cause_names[static_cast<int>(why)] << ";"
                << members << "\n";
    const auto left = living_with(mark);
    admitted_ += how_.holds_setsid ? 0 : left.size() - std::min(left.size(), survived);
    for (pid_t pid : left)
      ::kill(pid, SIGKILL);
  }

  /// Those that may not be there, once there is none or the time is over.
  std::vector<pid_t> guilty_after(std::chrono::seconds time, const std::string& mark,
                                  pid_t group) const {
    const auto end = std::chrono::steady_clock::now() + time;
    for (;;) {
      auto left = living_with(mark);
      if (!how_.holds_setsid)
        std::erase_if(left, [group](pid_t pid) { return ::getpgid(pid) != group; });
      if (left.empty() || std::chrono::steady_clock::now() > end)
        return left;
    }
  }

  void end_by(cause why) {
    if (why == cause::runtime_killed || why == cause::both_killed) {
      const auto pid = runtime_->pid(), guardian = runtime_->guardian();
      if (why == cause::both_killed && guardian != 0)
        ::kill(guardian, SIGSTOP); // killed first, it would be replaced
      ::kill(pid, SIGKILL);
      if (why == cause::both_killed && guardian != 0)
        ::kill(guardian, SIGKILL);
      return start();
    }
    const auto next = random_members();
    runtime_->tell("next" + next);
    if (why == cause::guardian_killed)
      replace_guardian();
    if (why == cause::close || why == cause::guardian_killed) {
      runtime_->tell("close");
      if (auto answer = runtime_->hear(); answer != "closed")
        throw std::runtime_error("not closed: " + answer);
      runtime_->tell("start");
    } else if (why == cause::owner_killed) {
      runtime_->tell("kill_owner");
    } else {
      ::kill(leader_, SIGKILL);
    }
    members_ = next;
    std::tie(mark_, leader_) = runtime_->hear_up();
  }

  /// With the runtime killed meanwhile both would be, which only a pid namespace is up to.
  void replace_guardian() {
    const auto former = runtime_->guardian();
    if (former == 0)
      return;
    ::kill(former, SIGKILL);
    for (auto now = former; !how_.pid_namespace && (now == former || now == 0);)
      now = runtime_->guardian();
  }

  void report(unsigned rounds) {
    std::cout << how_.name << ": " << rounds << " rounds";
    for (const auto& [why, count] : causes_)
      std::cout << ", " << cause_names[static_cast<int>(why)] << " " << count;
    std::cout << "; survived " << survivors_;
    if (!how_.holds_setsid)
      std::cout << ", and " << admitted_ << " that left the group, as admitted";
    std::cout << std::endl;
  }

  const containment& how_;
  std::mt19937 random_;
  std::unique_ptr<runtime> runtime_;
  std::string members_, mark_;
  pid_t leader_ = 0;
  std::map<cause, unsigned> causes_;
  std::size_t survivors_ = 0, admitted_ = 0;
};

} // namespace

int main(int argc, char** argv) {
  if (::getuid() != 0) {
    std::cout << "skipped: only root may make control groups and namespaces\n";
    return 0;
  }
  std::signal(SIGPIPE, SIG_IGN);
  unsigned rounds = 100, seed = std::random_device{}();
  std::string only;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--rounds")
      rounds = static_cast<unsigned>(std::stoul(argv[i + 1]));
    else if (option == "--seed")
      seed = static_cast<unsigned>(std::stoul(argv[i + 1]));
    else if (option == "--containment")
      only = argv[i + 1];
  }
  std::cout << "seed " << seed << std::endl;
  bool clean = true;
  try {
    for (const auto& how : all_containments)
      if (only.empty() || only == how.name)
        clean = campaign(how, seed).run(rounds) && clean;
  } catch (const std::exception& error) {
    std::cout << "failed: " << error.what() << std::endl;
    return 1;
  }
  return clean ? 0 : 1;
}
