#pragma once

#include <penning/io/clone_launcher.hpp>
#include <penning/io/death_watch.hpp>

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <system_error>
#include <unordered_set>

namespace penning::io {

/// Our side of the guardian, the process that kills what this one leaves when it is killed: the
/// processes in our control groups, or the children's process groups.
///
/// Without a control group each child registers its process group itself, right before execve(2),
/// so at no moment can it have descendants of which the guardian does not know. A guardian that
/// dies, or that does not take what it is sent, is replaced and gets the whole table. On the
/// context's thread only, but for `is_ready`, `enter` and a registration.
class guardian {
 public:
  explicit guardian(boost::asio::io_context& io);
  ~guardian() { stop(); }
  guardian(const guardian&) = delete;
  guardian& operator=(const guardian&) = delete;

  /// Starts it unless it runs; `failed_step` names what failed.
  std::error_code ensure();
  const std::string& failed_step() const noexcept { return failed_step_; }

  /// Whether it runs, as far as we know.
  bool is_ready() const noexcept { return ready_; }

  /// Whether this is its pid.
  bool is(pid_t pid) const noexcept { return pid == pid_; }

  /// An initialiser of a launch, on any thread: the child's registration, taken back if the launch
  /// fails later on. Its child is to be told to `registered` on the context's thread.
  class registration {
   public:
    static constexpr const char* step = "guardian";

    using launcher = boost::process::v2::posix::default_launcher;
    using path = clone_launcher::path;
    using error_code = clone_launcher::error_code;
    error_code on_exec_setup(launcher&, const path&, const char* const*);
    void on_error(launcher& by, const path&, const char* const*, const error_code&);

    /// A control group that its child enters, as `guardian::enter` has it, and its taking back. Not
    /// an initialiser's doing, but on any thread too.
    std::error_code enter(const std::string& control_group) const;
    void forget(const std::string& control_group) const;

   private:
    friend class guardian;
    struct connection;
    std::shared_ptr<connection> to_;
  };
  registration enter();
  void registered(pid_t group, const registration& by);
  void registered(const std::string& control_group, const registration& by);

  /// Takes a group off the table. To be called while its leader is unreaped.
  void forget(pid_t group);

  /// A control group with all below it: to be killed and removed after our end. An absolute path.
  void enter(const std::string& control_group);
  void forget(const std::string& control_group);

  /// Kills and starts it anew, for a launch that failed at `registration::step`.
  std::error_code replace();

  /// Lets it go and reaps it; the table must be empty, or else what is in it is killed.
  void stop();

 private:
  std::error_code start();
  std::error_code connect(unique_fd& theirs);
  std::error_code send_table();
  std::error_code watch(launched_process process);
  void give_up();
  void died();
  void start_after(std::chrono::milliseconds delay);
  void dismiss();
  void reap();
  void disconnect();
  std::error_code fail(const char* step, int error);
  int socket() const;

  boost::asio::io_context& io_;
  clone_launcher launcher_;
  unique_fd image_;
  std::mutex mutex_; // of the pointer, not of what it points to
  std::shared_ptr<registration::connection> connection_;
  death_watch watch_;
  boost::asio::steady_timer retry_;
  std::chrono::steady_clock::time_point started_;
  int short_lives_ = 0; ///< In a row.
  pid_t pid_ = 0;
  std::unordered_set<pid_t> groups_;
  std::set<std::string> control_groups_;
  std::atomic<bool> ready_ = false;
  std::string failed_step_;
};

} // namespace penning::io
