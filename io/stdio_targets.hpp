#pragma once

#include <penning/io/launch_options.hpp>
#include <penning/io/pipes.hpp>

#include <string>
#include <system_error>

namespace penning::io {

/// Throws `option_error` naming `stdin`, `stdout` or `stderr`: for a path that is empty, has a NUL
/// or is a directory, a file to read that is missing, a file to write whose directory is, a mode
/// above 07777, and `to_stdout` for another stream than stderr. Only a look: `open_target` decides.
void validate_stdio(const launch_options& options);

/// Makes the paths of files absolute: relative to `cd`, which is relative to the caller's own.
void make_stdio_absolute(launch_options& options);

/// Opens what a stream of a child goes to, or comes from: a pipe for `to_owner`; for the others
/// only the child's end; for `to_nothing` and `to_stdout` neither. `end` is ours, as if of a pipe.
///
/// It never waits for a FIFO's other end: writing to one that nobody reads is refused (ENXIO), one
/// that nobody writes is at its end. A file system that hangs is waited for.
/// Errors: those of pipe2(2) and open(2); `what` names the call, as in "open /nosuch/file".
std::error_code open_target(child_pipe& stream, const stdio_target& target, our_end end,
                            std::string& what);

} // namespace penning::io
