#pragma once

#include <penning/io/clone_launcher.hpp>
#include <penning/io/descendants.hpp>

#include <optional>

namespace penning::io {

/// A pid namespace with a process 1 of ours, see pid_namespaces(7). When that one ends, the kernel
/// kills everything in it; it ends with the thread that made it.
class pid_namespace {
 public:
  pid_namespace(pid_namespace&&) = default;
  pid_namespace& operator=(pid_namespace&&) = default;
  ~pid_namespace();

  /// Errors: those of clone(2), EPERM without CAP_SYS_ADMIN; `step` is the call.
  static std::optional<pid_namespace> make(clone_launcher& launcher, boost::asio::io_context& io,
                                           std::error_code& error, const char*& step);

  /// An initialiser of a launch: its child is born in the namespace.
  struct membership {
    static constexpr const char* step = "setns";
    const unique_fd& init;
    unique_fd own{};

    using launcher = clone_launcher;
    using path = clone_launcher::path;
    using error_code = clone_launcher::error_code;
    error_code on_setup(launcher&, const path&, const char* const*);
    void on_success(launcher&, const path&, const char* const*);
    void on_error(launcher&, const path&, const char* const*, const error_code&);

   private:
    void leave();
  };
  membership enter() const { return {init_.pidfd}; }

  /// The pidfd of process 1, which is still to be reaped.
  unique_fd release();

 private:
  explicit pid_namespace(launched_process init) : init_(std::move(init)) {}

  launched_process init_;
};

/// Everything in a pid namespace but the child, which has to be reaped first.
class namespace_descendants final : public descendants {
 public:
  namespace_descendants(boost::asio::io_context& io, pid_namespace space);
  ~namespace_descendants() override;

  void kill() override;
  void when_gone(std::function<void()> f) override;

 private:
  boost::asio::io_context& io_;
  death_watch watch_;
  unique_fd pidfd_; // if it cannot be watched
};

} // namespace penning::io
