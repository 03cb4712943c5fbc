#pragma once

#include <penning/io/clone_launcher.hpp>
#include <penning/io/death_watch.hpp>

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <system_error>
#include <unordered_set>

namespace penning::io {

/// Our side of the guardian, the process that kills the children's groups when this one is killed.
///
/// Each child registers its group itself, right before execve(2), so at no moment can it have
/// descendants of which the guardian does not know. A guardian that dies, or that does not take
/// what it is sent, is replaced and gets the whole table. On the context's thread only.
class guardian {
 public:
  guardian(boost::asio::io_context& io, clone_launcher& launcher);
  ~guardian() { stop(); }
  guardian(const guardian&) = delete;
  guardian& operator=(const guardian&) = delete;

  /// Starts it unless it runs; `failed_step` names what failed.
  std::error_code ensure();
  const std::string& failed_step() const noexcept { return failed_step_; }

  /// An initialiser of a launch: the child's registration, taken back if the launch fails later on.
  struct registration {
    static constexpr const char* step = "guardian";
    guardian& to;

    using launcher = boost::process::v2::posix::default_launcher;
    using path = clone_launcher::path;
    using error_code = clone_launcher::error_code;
    error_code on_exec_setup(launcher&, const path&, const char* const*);
    void on_success(launcher& by, const path&, const char* const*);
    void on_error(launcher& by, const path&, const char* const*, const error_code&);
  };
  registration enter() { return {*this}; }

  /// Takes a group off the table. To be called while its leader is unreaped.
  void forget(pid_t group);

  /// Kills and starts it anew, for a launch that failed at `registration::step`.
  std::error_code replace();

  /// Lets it go and reaps it; the table must be empty, or else its groups are killed.
  void stop();

 private:
  std::error_code start();
  std::error_code connect(unique_fd& theirs);
  std::error_code send_table();
  std::error_code watch(launched_process process);
  void died();
  void start_after(std::chrono::milliseconds delay);
  void dismiss();
  void reap();
  std::error_code fail(const char* step, int error);

  boost::asio::io_context& io_;
  clone_launcher& launcher_;
  unique_fd image_, socket_;
  death_watch watch_;
  boost::asio::steady_timer retry_;
  std::chrono::steady_clock::time_point started_;
  std::unordered_set<pid_t> groups_;
  std::string failed_step_;
};

} // namespace penning::io
