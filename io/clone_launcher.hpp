#pragma once

#include <penning/io/unique_fd.hpp>

#include <boost/process/v2/posix/default_launcher.hpp>

#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace penning::io {

/// What a launcher gives: a running child of ours and the descriptor that stands for it.
///
/// Not Boost's `basic_process`: its handle folds `exit 9` and `kill -9` into one number, reaps
/// without resource usage and signals by pid, which may be somebody else's after the reaping.
struct launched_process {
  pid_t pid = -1;
  unique_fd pidfd; ///< Close-on-exec; readable once the process is dead, see pidfd_open(2).
};

/// A launcher in the sense of Boost.Process v2: a callable that takes a context or an executor, a
/// program, its arguments and initialisers with the hooks `on_setup` (before the clone),
/// `on_exec_setup` (in the child), `on_success` and `on_error` (in the parent).
///
/// The child is made by clone3(2) with CLONE_VM and CLONE_VFORK on a stack of its own: no page
/// table is copied, however large the caller is, and errno comes back through the shared memory. So
/// an `on_exec_setup` may do nothing but system calls. What the child gets: default dispositions,
/// no blocked signal, a group (or session) of its own, a SIGKILL when the thread that launched it
/// ends, descriptors 0 to 2 and `fd_whitelist`, and no other.
///
/// Errors: those of the system calls, as an `error_code`; `failed_step` names the call. A child
/// that failed is reaped. Reusable: each launch starts from the defaults. Thread safety: none.
/// Sources: posix_spawn(3), `sysdeps/unix/sysv/linux/spawni.c` in glibc, PR_SET_PDEATHSIG(2const).
class clone_launcher : public boost::process::v2::posix::default_launcher {
 public:
  using error_code = boost::system::error_code;
  using path = boost::process::v2::filesystem::path;

  /// With another one than the caller's, the child does not see its parent, nor its own pid.
  enum class pid_space : std::uint8_t {
    own,
    fresh,   ///< The child is process 1 of a new one.
    entered, ///< One that the calling thread has set for its children, see setns(2).
  };

  /// For the next launch; an initialiser's `on_setup` may set these as well as its caller.
  struct settings {
    /// Become 0 to 2 in the child, whatever their flags; -1 is closed there.
    std::array<int, 3> stdio{0, 1, 2};
    const char* directory = nullptr; ///< chdir(2) to it before the program is executed.
    int image = -1;                  ///< Execute this descriptor instead of the path.
    bool new_session = false;        ///< setsid(2) instead of a group of its own.
    int terminal = -1;               ///< Becomes the controlling one of the new session.
    bool outlives_parent = false;    ///< No PR_SET_PDEATHSIG.
    int cgroup = -1;                 ///< Directory of a v2 cgroup to be born in.
    std::span<const int> cgroups{};  ///< Directories of more to be moved to, under v1.
    pid_space pids = pid_space::own;
  };
  settings next;

  clone_launcher();
  ~clone_launcher();

  /// The system call, or the initialiser's `step`, that the last launch failed at.
  const char* failed_step() const noexcept { return failed_step_; }

  template <class ExecutorOrContext, class Args, class... Inits>
  launched_process operator()(ExecutorOrContext&& where, const path& program, Args&& args,
                              Inits&&... inits) {
    error_code error;
    auto result = (*this)(where, error, program, std::forward<Args>(args), inits...);
    if (error)
      throw boost::system::system_error(error, failed_step_);
    return result;
  }

  template <class ExecutorOrContext, class Args, class... Inits>
  launched_process operator()(ExecutorOrContext&&, error_code& error, const path& program,
                              Args&& args, Inits&&... inits) {
    per_launch_state restored{*this};
    argv_.clear();
    argv_buffer_.clear();
    const char* const* argv = this->build_argv_(program, std::forward<Args>(args));
    failed_step_ = "on_setup";
    if ((set_up(error, program, argv, inits) && ...)) {
      auto in_child = [&] { (void)(set_up_in_child(program, argv, inits) && ...); };
      launched_process child = clone_and_exec(
        program.c_str(), argv, [](void* f) { (*static_cast<decltype(in_child)*>(f))(); }, &in_child,
        error);
      if (!error) {
        (tell_success(program, argv, inits), ...);
        return child;
      }
      (tell_error(error, program, argv, inits), ...);
      reap_failed(child); // last: until now nobody else can have got its pid
    } else {
      (tell_error(error, program, argv, inits), ...);
    }
    return {};
  }

 private:
  struct failure; // written by the child into the memory that both share
  struct memory;  // the stack and the failure

  /// Puts the defaults back when a launch is over, also by an exception.
  struct per_launch_state {
    clone_launcher& launcher;
    ~per_launch_state() {
      launcher.next = {};
      launcher.env = ::environ;
      launcher.fd_whitelist = {0, 1, 2};
    }
  };

  template <class Init>
  bool set_up(error_code& error, const path& program, const char* const*& argv, Init& init) {
    if constexpr (requires { init.on_setup(*this, program, argv); })
      error = init.on_setup(*this, program, argv);
    return !error;
  }

  template <class Init>
  bool set_up_in_child(const path& program, const char* const* argv, Init& init) {
    if constexpr (requires { init.on_exec_setup(*this, program, argv); }) {
      int error = init.on_exec_setup(*this, program, argv).value();
      const char* step = "on_exec_setup";
      if constexpr (requires { init.step; })
        step = init.step; // may have changed in the call
      return !note_failure(error, step);
    }
    return true;
  }

  template <class Init>
  void tell_success(const path& program, const char* const* argv, Init& init) {
    if constexpr (requires { init.on_success(*this, program, argv); })
      init.on_success(*this, program, argv);
  }

  template <class Init>
  void tell_error(const error_code& error, const path& program, const char* const* argv,
                  Init& init) {
    if constexpr (requires { init.on_error(*this, program, argv, error); })
      init.on_error(*this, program, argv, error);
  }

  /// Remembers the first failure of the child; true when `error` is one.
  bool note_failure(int error, const char* step) noexcept;

  launched_process clone_and_exec(const char* program, const char* const* argv,
                                  void (*in_child)(void*), void* argument, error_code& error);
  static void reap_failed(launched_process& child) noexcept;

  std::unique_ptr<memory> memory_;
  const char* failed_step_ = "";
};

} // namespace penning::io
