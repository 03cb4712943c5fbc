#pragma once

#include <penning/io/cgroup_descendants.hpp>
#include <penning/io/death_watch.hpp>
#include <penning/io/input_writer.hpp>
#include <penning/io/launch.hpp>
#include <penning/io/limited_descendants.hpp>
#include <penning/io/orphans.hpp>
#include <penning/io/output_reader.hpp>

#include <atomic>
#include <functional>

namespace penning::io {

class running_child;

/// What a child needs from its context.
struct child_surroundings {
  boost::asio::io_context& io;
  read_buffer& buffer;
  runtime_cgroup& groups;
  adopted_orphans* adopted = nullptr;        ///< Of a subreaper.
  std::function<void(pid_t)> before_reaping; ///< The last moment at which its group is surely ours.
  std::function<void(const running_child&)> after_end;   ///< Before the observer hears of it.
  std::function<void(const std::string&)> after_removal; ///< Of a control group.
};

/// A child from its launch to its end. Everything on the context's thread, `pid`, `reaped`, `ended`
/// and `statistics` apart.
///
/// The end goes one way: dead (the pidfd is readable) → what it leaves behind killed, its group
/// while the unreaped leader still holds the group's number → its pipes drained → reaped → what it
/// left waited for → told.
class running_child final : public stream_events,
                            public std::enable_shared_from_this<running_child> {
 public:
  running_child(child_surroundings& around, std::shared_ptr<child_observer> observer);

  /// Takes over a launched process, unless there is an error: it is still the caller's then.
  std::error_code begin(launched_child& child);

  pid_t pid() const noexcept { return pid_; }
  containment_kind contained_by() const noexcept { return contained_by_; }
  bool ended() const noexcept { return ended_; }
  bool reaped() const noexcept { return reaped_; }
  child_observer& observer() { return *observer_; }

  void grant(output stream, std::size_t bytes);
  void write(std::vector<char> bytes) { input_.write(std::move(bytes)); }
  void close_stdin() { input_.close_when_written(); }
  void resize(const window_size& size);
  void hang_up();
  void signal(int number, signal_target target);
  cgroup_statistics statistics() const;

 private:
  void received(output stream, std::vector<char> bytes) override;
  void reached_end(output stream) override;
  void written(std::size_t bytes) override;
  void stdin_failed(std::error_code reason) override;
  std::shared_ptr<void> keep_alive() override { return shared_from_this(); }

  void open(stdio_pipes pipes);
  void contain(launched_child& child);
  void died();
  bool learn_status();
  void kill_descendants();
  void finish();
  void reap();
  void await_descendants(std::size_t next);
  descendants* descendants_of(std::size_t kind);
  void end();

  child_surroundings& around_;
  std::shared_ptr<child_observer> observer_;
  std::atomic<bool> reaped_ = true, ended_ = true; // until there is a process
  pid_t pid_ = 0;
  death_watch watch_;
  input_writer input_;
  output_reader out_, err_;
  unique_fd terminal_; // hangs up once this and the copies in input_ and out_ are closed
  group_descendants group_;
  std::unique_ptr<orphaned_descendants> adopted_;
  std::unique_ptr<cgroup_descendants> in_cgroup_; // once the leader is dead
  std::unique_ptr<limited_descendants> in_limits_;
  std::unique_ptr<namespace_descendants> in_namespace_;
  child_cgroup cgroup_;                  // its files are the next child's in the end
  std::vector<std::string> limit_paths_; // of in_limits_, as they were made
  containment_kind contained_by_ = containment_kind::process_group;
  bool keeps_orphans_ = false, leader_dead_ = false;
  child_end end_;
};

} // namespace penning::io
