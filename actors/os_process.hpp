#pragma once

#include <penning/actors/line_watch.hpp>
#include <penning/actors/os_process_input.hpp>
#include <penning/actors/os_process_options.hpp>
#include <penning/actors/output_flow.hpp>
#include <penning/actors/process.hpp>
#include <penning/actors/process_state.hpp>
#include <penning/io/child.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

namespace penning::actors {

struct child_event;

/// The exit reason for an end that nobody asked for: `normal`, `{exit_status, N}`, `{signal, N}`.
term end_reason(const io::exit_status& status, const std::vector<int>& success_exit_codes);

/// The actor of one OS child, linked to its owner.
///
/// Takes `command`, `close_stdin`, `signal`, `window_size`, `os_pid` and `info` from anybody,
/// `close` and `connect` from its owner.
/// Sends the owner `data` and `error` (as `data_line` and `error_line` if so asked), `stdin_busy`,
/// `stdin_ready`, `stdin_closed`, `closed`, `connected` and, after all output, `exited`; then it
/// ends, with the reason of `end_reason`, with `shutdown` when it was stopped and `killed` after
/// `kill`. Its end is told only when the child's processes are gone. An owner or parent that ends,
/// for any reason, stops the child: its stop signal or stop command, SIGKILL after
/// `delay_to_sigkill`, then the rest of its group. A parent that is not the owner is told of the
/// end at once, even if the owner is slow to consume.
///
/// Where orphans are kept, `exited` comes as soon as the child itself has ended; what those that it
/// left write follows, and this ends when they have ended, or have been killed because it was
/// stopped.
///
/// `start_link` is acknowledged with `{ok, OsPid}` once the program runs, or with `{error,
/// Reason}`:
/// `{bad_option, Name, Value, Problem}` or `{Posix, Text}` such as `{enoent, <<"...">>}`.
///
/// With `ready` it is acknowledged once that check has passed. Meanwhile it takes and sends all
/// that a running one does; its output, but for an unfinished line where it is delivered by lines,
/// reaches the owner before the acknowledgement. One that ends before is not acknowledged, it ends
/// with its own reason; one whose check can never pass is killed, and ends with the reason of its
/// `ready_probe`, `{not_ready, Reason}`. A line is looked for in what the owner takes: an owner
/// that does not consume keeps it from being found.
class os_process : public process {
 public:
  /// `host` outlives the actor.
  os_process(caf::actor_config& config, io::child_host& host, caf::actor owner,
             os_process_options options);

  const char* name() const override { return "penning.os_process"; }

 protected:
  start_result init() override;
  caf::message_handler receive() override;
  void handle_exit(const caf::actor_addr& from, const term& reason) override;
  void handle_kill() override;
  void terminate(const term& reason) override;

 private:
  static caf::message_handler make_handlers();

  // its life
  void on_event(child_event& event);
  void on_started(std::shared_ptr<io::child> child);
  void on_start_failed(std::error_code code, const std::string& what);
  void on_leader_end(const io::child_end& end);
  void on_end(const io::child_end& end);
  void move(process_event event);
  void stop();
  void ask_to_end();
  void send_stop_signal();
  void run_stop_command();
  void on_stop_command_end(const term& reason);
  void finish_if_delivered();

  // its readiness
  void await_readiness(const os_process_options& options);
  void stop_waiting(const term& how);
  void on_ready();
  void on_probe_end(const term& reason);

  // its streams
  void on_output(io::output stream, std::vector<char> bytes);
  void on_output_closed(io::output stream);
  void forward(io::output stream);
  template <class Message>
  void send_output(io::output stream, std::size_t size, Message message);
  caf::result<void> write(command& message);
  caf::result<void> refuse(std::size_t bytes, std::error_code reason);
  void tell(input_notice notice);
  void on_stdin_closed(std::error_code reason);

  // questions and orders
  pid_t leader() const { return child_ && !end_is_told_ ? child_->pid() : 0; } // 0 after its end
  caf::result<void> send_signal(const term& which);
  caf::result<void> resize(const window_size& size);
  caf::result<void> answer(const caf::error& error);
  std::chrono::milliseconds uptime();
  caf::result<info_reply> describe();

  // its owner
  bool from_owner();
  void owner_is_gone();
  void close_for_owner();
  void connect_for_owner(const caf::actor& owner);
  void change_owner(const caf::actor& owner);

  output_flow& flow(io::output stream) { return stream == io::output::out ? out_ : err_; }

  /// What it needs of its options until it ends, for there may be thousands of it.
  struct ending {
    std::chrono::milliseconds delay_to_sigkill{};
    std::vector<int> success_exit_codes{};
    int stop_signal = 0; ///< 0: it is hung up on.
    std::unique_ptr<os_process_options> stop_command{};
    std::uint64_t restarts = 0;
    bool has_pty = false;
  };
  static ending ending_of(const os_process_options& options);

  io::child_host& host_;
  caf::actor owner_;                            // null once it is gone
  std::unique_ptr<os_process_options> options_; // until its readiness has been looked after
  ending ending_;
  process_state state_ = process_state::starting;
  std::shared_ptr<io::child> child_; // while it lives
  os_process_input input_;
  output_flow out_, err_;
  std::uint64_t owner_number_ = 0;         // tells the acknowledgements of different owners apart
  std::unique_ptr<line_watch> ready_line_; // while it is waited for, it or the probe
  caf::actor ready_probe_, stop_command_;
  std::optional<term> cause_; // of an end that was asked for: its exit reason
  bool closing_ = false;      // by `close`, which is to be answered
  bool end_is_told_ = false;  // of a child whose orphans live on
  std::uint64_t out_bytes_ = 0, err_bytes_ = 0;
  caf::actor_clock::time_point started_;
  std::uint64_t started_ticks_ = 0;    // the same since the boot
  std::chrono::milliseconds uptime_{}; // once it is gone
  io::child_end end_;
  term end_reason_;
};

} // namespace penning::actors
