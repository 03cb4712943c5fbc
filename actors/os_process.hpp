#pragma once

#include <penning/actors/line_watch.hpp>
#include <penning/actors/output_flow.hpp>
#include <penning/actors/pending_answer.hpp>
#include <penning/actors/process.hpp>
#include <penning/actors/process_state.hpp>
#include <penning/actors/readiness.hpp>
#include <penning/io/child.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

namespace penning::actors {

/// What to start, and how its actor treats it.
struct os_process_options : io::launch_options {
  /// From SIGTERM to SIGKILL.
  std::chrono::milliseconds delay_to_sigkill{500};
  /// Bytes of each stream that the owner may have unconsumed; at least 1.
  std::size_t stdio_window = 65'536;
  /// Statuses besides 0 whose exit reason is `normal`.
  std::vector<int> success_exit_codes{};
  /// What must pass before it counts as started; with nothing, that it executes is enough.
  std::optional<readiness> ready{};
};

/// Throws `io::option_error`; see `io::validate` and `validate(const readiness&)`.
void validate(const os_process_options& options);

/// `{bad_option, Name, Value, Problem}`, a name that cannot be an atom as a binary.
term bad_option(const io::option_error& error);

/// The exit reason for an end that nobody asked for: `normal`, `{exit_status, N}`, `{signal, N}`.
term end_reason(const io::exit_status& status, const std::vector<int>& success_exit_codes);

/// The actor of one OS child, linked to its owner.
///
/// Takes `command`, `close_stdin`, `os_pid` from anybody, `close` and `connect` from its owner.
/// Sends the owner `data`, `error`, `closed`, `connected` and, after all output, `exited`; then it
/// ends, with the reason of `end_reason`, with `shutdown` when it was stopped and `killed` after
/// `exit(it, kill)`. Its end is told only when the child's processes are gone. An owner or parent
/// that ends, for any reason, stops the child: SIGTERM, SIGKILL after `delay_to_sigkill`, then the
/// rest of its group. A parent that is not the owner is told of the end at once, even if the owner
/// is slow to consume.
///
/// `start_link` is acknowledged with `{ok, OsPid}` once the program runs, or with `{error,
/// Reason}`:
/// `{bad_option, Name, Value, Problem}` or `{Posix, Text}` such as `{enoent, <<"...">>}`.
///
/// With `ready` it is acknowledged once that check has passed. Meanwhile it takes and sends all
/// that a running one does; its output reaches the owner before the acknowledgement. One that ends
/// before is not acknowledged, it ends with its own reason; one whose check can never pass is
/// killed, and ends with the reason of its `ready_probe`, `{not_ready, Reason}`. A line is looked
/// for in what the owner takes: an owner that does not consume keeps it from being found.
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
  struct pending_write {
    std::size_t bytes;
    std::optional<pending_answer> answer; // if it was a request
  };

  void on_started(std::shared_ptr<io::child> child);
  void on_start_failed(std::error_code code, const std::string& what);
  void on_output(io::output stream, std::vector<char> bytes);
  void on_written(std::size_t bytes);
  void on_stdin_closed(std::error_code reason);
  void on_end(const io::child_end& end);

  void await_readiness();
  void stop_waiting(const term& how);
  void on_ready();
  void on_probe_end(const term& reason);

  caf::result<void> write(command& message);
  void change_owner(const caf::actor& owner);
  void owner_is_gone();
  void stop();
  void ask_to_end();
  void move(process_event event);
  void forward(io::output stream);
  template <class Message>
  void send_output(io::output stream, std::vector<char> bytes);
  void finish_if_delivered();
  bool from_owner();
  output_flow& flow(io::output stream) { return stream == io::output::out ? out_ : err_; }

  io::child_host& host_;
  caf::actor owner_;
  os_process_options options_;
  process_state state_ = process_state::starting;
  std::shared_ptr<io::child> child_;
  output_flow out_, err_;
  std::deque<pending_write> writes_;
  std::vector<std::vector<char>> early_; // written before the start was known
  bool close_early_ = false;
  std::error_code stdin_closed_;         // set: nothing more is taken
  std::optional<line_watch> ready_line_; // while it is waited for, it or the probe
  caf::actor ready_probe_;
  std::optional<term> not_ready_;  // why it never can be
  std::uint64_t owner_number_ = 0; // tells the acknowledgements of different owners apart
  bool stopped_ = false, killed_ = false, closing_ = false, ownerless_ = false;
  io::child_end end_;
  term end_reason_;
};

} // namespace penning::actors
