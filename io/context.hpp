#pragma once

#include <penning/io/child.hpp>

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <memory>
#include <string_view>

namespace penning::io {

/// One owned thread with an Asio context: starts children, moves their bytes, watches their ends.
///
/// The thread is the parent of every child, so PR_SET_PDEATHSIG follows it; all signals but those
/// of a fault are blocked in it, SIGPIPE too. The destructor kills (SIGKILL) what still runs, waits
/// until it is gone (each observer hears its `on_end`) and joins the thread; it must not run on
/// that thread. The first child brings the guardian with it, so a context without one is cheap.
/// SIGCHLD must not be ignored in the process: `on_start_failed` says ECHILD then.
class context final : public child_host {
 public:
  context();
  ~context() override;
  context(const context&) = delete;
  context& operator=(const context&) = delete;

  void start(launch_options options, std::shared_ptr<child_observer> observer) override;

  /// For other work on the same thread: descriptors of a protocol, timers, signals.
  boost::asio::io_context& asio() noexcept;

  /// How children are kept from outliving the runtime, e.g. "process group with guardian".
  std::string_view containment() const noexcept;

  /// Number of children that have not ended, those counted for which `start` was called only now.
  std::size_t children() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace penning::io
