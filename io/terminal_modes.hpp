#pragma once

#include <penning/io/launch_options.hpp>

#include <termios.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace penning::io {

/// A terminal mode by its name in RFC 4254, and its argument.
using terminal_mode = std::pair<std::string, std::uint32_t>;

/// Sets `modes` in `settings`, in order; the last of two with one name wins.
///
/// Names are those of RFC 4254, section 8, and IUTF8 of RFC 8160, in any case. A control character
/// (VINTR and the like) takes 0 to 255, where 255 switches it off; a flag (ECHO) takes 0 or 1; CS7
/// and CS8 with 1 choose that size, with 0 nothing; TTY_OP_ISPEED and TTY_OP_OSPEED take baud, and
/// are one in the C library's termios, where the last one wins.
/// VDSUSP, VFLUSH and VSTATUS, which Linux has not, are checked and set nothing, as the RFC allows.
/// Errors: `option_error` "pty" for an unknown name, an argument out of range, and a speed for
/// which termios(3) has no constant; `settings` is unspecified then.
void apply(const std::vector<terminal_mode>& modes, termios& settings);

/// Throws `option_error` "pty" for modes that `apply` refuses, and for a terminal that none of the
/// streams goes to.
void validate_terminal(const launch_options& options);

/// What to type for an end of file after `last`, the byte that was typed before it: VEOF, and twice
/// where it is in the middle of a line, as the first one only lets that be read, see termios(3).
/// Empty in raw mode (no ICANON) and where VEOF is switched off: no character ends the file then.
std::string end_of_file(const termios& settings, std::optional<char> last);

} // namespace penning::io
