#pragma once

#include <penning/io/clone_launcher.hpp>
#include <penning/io/death_watch.hpp>
#include <penning/io/input_writer.hpp>
#include <penning/io/output_reader.hpp>
#include <penning/io/pipes.hpp>
#include <penning/io/process_group.hpp>

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <functional>

namespace penning::io {

/// Our ends of a child's pipes, and for a moment the child's own.
struct stdio_pipes {
  child_pipe in, out, err;
};

/// What a child needs from its context.
struct child_surroundings {
  boost::asio::io_context& io;
  read_buffer& buffer;
  std::function<void(pid_t)> before_reaping; ///< The last moment at which its group is surely ours.
  std::function<void(pid_t)> after_end;      ///< Before the observer hears of it.
};

/// A child from its launch to its end. Everything on the context's thread, `pid`, `reaped` and
/// `ended` apart.
///
/// The end goes one way: dead (the pidfd is readable) → its group killed, while the unreaped leader
/// still holds the group's number → its pipes drained → reaped → the group waited for → told.
class running_child final : public stream_events,
                            public std::enable_shared_from_this<running_child> {
 public:
  running_child(child_surroundings& around, std::shared_ptr<child_observer> observer);

  /// Takes over a launched process. On an error it has been killed and reaped.
  std::error_code begin(launched_process process, stdio_pipes pipes);

  pid_t pid() const noexcept { return pid_; }
  bool ended() const noexcept { return ended_; }
  bool reaped() const noexcept { return reaped_; }
  child_observer& observer() { return *observer_; }

  void grant(output stream, std::size_t bytes);
  void write(std::vector<char> bytes) { input_.write(std::move(bytes)); }
  void close_stdin() { input_.close_when_written(); }
  void signal(int number, signal_target target);

 private:
  void received(output stream, std::vector<char> bytes) override;
  void reached_end(output stream) override;
  void written(std::size_t bytes) override;
  void stdin_failed(std::error_code reason) override;
  std::shared_ptr<void> keep_alive() override { return shared_from_this(); }

  void died();
  void reap();
  void await_group();
  void await(std::vector<held_member> members);
  void later(std::function<void()> step);
  void end();

  child_surroundings& around_;
  std::shared_ptr<child_observer> observer_;
  std::atomic<bool> reaped_ = true, ended_ = true; // until there is a process
  pid_t pid_ = 0;
  death_watch watch_;
  input_writer input_;
  output_reader out_, err_;
  child_end end_;
  std::uint64_t reaped_at_ = 0; // clock ticks
};

} // namespace penning::io
