#pragma once

#include <penning/io/cgroup_statistics.hpp>
#include <penning/io/exit_status.hpp>
#include <penning/io/launch_options.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace penning::io {

/// The two streams that a child writes.
enum class output : std::uint8_t { out = 1, err = 2 };

/// To whom a signal goes: the child itself, or every process of its group.
enum class signal_target : std::uint8_t { leader, group };

/// A started child, as its owner sees it. Thread safe; each call that asks for something to be done
/// returns at once, and it is done, in the order of the calls, on the thread of the `child_host`.
/// After the end of the child each call does nothing. Dropping the last handle without an end kills
/// the child's group and reaps it.
class child {
 public:
  virtual ~child() = default;

  virtual pid_t pid() const noexcept = 0;

  /// How its processes are kept from outliving it.
  virtual containment_kind contained_by() const noexcept = 0;

  /// Allows `bytes` more of `stream` to be read. The child starts with none: it is read against
  /// this window only, and past it once, at the end.
  virtual void grant(output stream, std::size_t bytes) = 0;

  /// Queues bytes for stdin; `child_observer::on_written` tells when they have been taken.
  virtual void write(std::vector<char> bytes) = 0;

  /// End of file for stdin once what is queued has been taken. Of a terminal it is the character
  /// VEOF, so it can be had in canonical mode only; what comes after it is not written.
  virtual void close_stdin() = 0;

  /// Of a child with a pty: changes the window's size, which tells it by SIGWINCH.
  virtual void resize(window_size size) = 0;

  /// Of a child with a pty: what has come is still delivered, then its terminal hangs up. It gets
  /// SIGHUP, reads the end of file and writes in vain. Without a pty: nothing. What was queued for
  /// stdin is dropped: `on_stdin_closed` says EIO, unless it was closed before.
  virtual void hang_up() = 0;

  /// Sends a signal while the leader is unreaped; otherwise does nothing. A number that is no
  /// signal is the caller's mistake: validate first.
  virtual void signal(int number, signal_target target) = 0;

  /// What the child's control group uses: read now, by the calling thread, in some ten system
  /// calls, while the host lives. After the end of the child there is nothing in it, and no host is
  /// needed.
  virtual cgroup_statistics statistics() const = 0;
};

/// What a child tells. Called on the host's thread, one call at a time; must not block nor throw.
class child_observer {
 public:
  virtual ~child_observer() = default;

  /// First call, unless `on_start_failed`.
  virtual void on_started(std::shared_ptr<child> handle) = 0;

  /// The only call then: errno of the system call that failed, before the clone or in the child;
  /// `what` names it and its object, as in "execve /bin/nosuch", "open /var/log/x", "setresuid".
  virtual void on_start_failed(std::error_code error, std::string what) = 0;

  /// What the child wrote, in order per stream; never empty. Within the granted window until the
  /// child has ended; then what its pipes still hold, whatever the window. All that comes through a
  /// terminal is `output::out`: what was written to stderr, and the echo of what was typed, too.
  virtual void on_output(output stream, std::vector<char> bytes) = 0;

  /// Nobody holds the writing end of this stream any more: no byte follows, not even from one that
  /// opens its controlling terminal anew. Never told of a stream that does not go to the owner, and
  /// not always before the end: a child that exits closes its streams with it, and `on_end` says so
  /// too.
  virtual void on_output_closed(output stream) = 0;

  /// The child has taken this many bytes of what was written.
  virtual void on_written(std::size_t bytes) = 0;

  /// Nothing more can be written: the reading end is closed (EPIPE, of a terminal EIO), stdin does
  /// not come from the owner (EBADF) or writing failed. What was queued is dropped. Noticed only by
  /// an attempt to write.
  virtual void on_stdin_closed(std::error_code reason) = 0;

  /// Only where orphans are kept: the child itself has ended, those that it left have not. More
  /// output may come, and at last `on_end`.
  virtual void on_leader_end(const child_end&) {}

  /// Last call: all output has been told, each process of the group is gone, the leader is reaped.
  virtual void on_end(const child_end& end) = 0;
};

/// Where children are started. `context` is the real one; tests put a recorder in its place.
class child_host {
 public:
  virtual ~child_host() = default;

  /// Starts a child, asynchronously; the observer hears of it, and is kept alive until its last
  /// call. Throws `option_error` for options that `validate` refuses, nothing started then.
  virtual void start(launch_options options, std::shared_ptr<child_observer> observer) = 0;
};

} // namespace penning::io
