#pragma once

#include <penning/io/child.hpp>

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace penning::io {

struct context_options {
  containment_choice containment = containment_choice::strongest;
};

/// Owned threads: one with an Asio context, which moves children's bytes and watches their ends,
/// and a few that launch.
///
/// The latter are the children's parents, so PR_SET_PDEATHSIG follows them. All signals but those
/// of a fault are blocked in all of them, SIGPIPE too; but SIGCHLD is let in by those that launch,
/// if it is neither blocked where this is made nor handled by then: a host that waits for that
/// signal has to block it, or to install its handler, before. The destructor kills (SIGKILL) what
/// still runs, waits until it is gone (each observer hears its `on_end`) and joins the thread; it
/// must not run on that thread. The first child brings the guardian with it, so a context without
/// one is cheap. SIGCHLD must not be ignored in the process: `on_start_failed` says ECHILD then.
class context final : public child_host {
 public:
  /// Throws `option_error` naming `containment` where the chosen one cannot be had.
  explicit context(const context_options& options = {});
  ~context() override;
  context(const context&) = delete;
  context& operator=(const context&) = delete;

  void start(launch_options options, std::shared_ptr<child_observer> observer) override;

  /// For other work on the same thread: descriptors of a protocol, timers, signals.
  boost::asio::io_context& asio() noexcept;

  /// How children are kept from outliving the runtime, the strongest there is:
  /// "cgroup v2", "cgroup v1", "subreaper" or "process group with guardian".
  std::string_view containment() const noexcept;

  /// Number of children that have not ended, those counted for which `start` was called only now.
  std::size_t children() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace penning::io
