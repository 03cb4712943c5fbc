#pragma once

#include <penning/io/clone_launcher.hpp>
#include <penning/io/launch_options.hpp>
#include <penning/io/unique_fd.hpp>

#include <optional>
#include <string>
#include <system_error>

namespace penning::io {

/// A pseudo-terminal, see pty(7): its slave and three copies of its master, as one descriptor
/// cannot be polled by a reader and a writer apart. All are close-on-exec and the master is
/// non-blocking; the slave is another open file description, so it blocks as the child expects. The
/// terminal hangs up when the last copy of the master is closed.
struct pseudo_terminal {
  unique_fd theirs;
  unique_fd control, input, output; ///< `input` to be written, `output` to be read.
};

/// Makes one with the size and the modes of `options`, which must be valid.
///
/// A pseudo-terminal keeps 8 bits and no parity, whatever the modes say. Errors: those of open(2)
/// (ENOSPC where the system has no pseudo-terminal left) and ioctl(2); `step` names the call then.
std::error_code open_terminal(pseudo_terminal& terminal, const pty_options& options,
                              const char*& step);

/// Has a launch make the terminal the controlling one of a new session, and those streams of the
/// child that go to its owner.
void enter_terminal(clone_launcher::settings& launch, const pseudo_terminal& terminal,
                    const launch_options& options);

/// The kernel tells the foreground process group by SIGWINCH if the size is another one.
/// Errors: EBADF for a terminal that is closed.
std::error_code resize_terminal(int fd, const window_size& size);

/// Whether nobody has the slave open any more. A write does not tell: Linux takes what nobody can
/// read, until its buffer is full.
bool is_deserted(int fd);

/// What to type for an end of file in the modes that the terminal has now. Empty if there is no
/// such character, see `end_of_file` in terminal_modes.hpp, or no terminal any more.
std::string end_of_file(int fd, std::optional<char> last);

} // namespace penning::io
