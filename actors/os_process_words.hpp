#pragma once

#include <penning/actors/adopted_process.hpp>
#include <penning/actors/os_process.hpp>

#include <string_view>
#include <vector>

namespace penning::actors {

// The options of an OS process as terms: what a port request carries, and what a tree file is
// turned into. docs/protocol.md lists names and values. Nothing is touched; what the terms mean is
// for `validate` to judge.

/// What to start. `program` is a binary or a list of characters, `args` a list of iodata.
/// Throws `io::option_error` naming `program` or `args` for anything else.
void set_command(os_process_options& options, const term& program, const term& args);

/// Sets one option, any but those two.
/// Throws `io::option_error` for a name that is none, and for a value of the wrong kind or out of
/// its range. It names the option, of an inner value the path to it (`pty.modes.echo`), and the
/// value as Erlang writes it.
void set_option(os_process_options& options, std::string_view name, const term& value);

/// Sets all that a map or a list of pairs has, by names that are atoms or text.
void set_options(os_process_options& options, const term& entries);

/// The names that `set_option` takes, sorted.
std::vector<std::string_view> option_names();

/// Which process to adopt, and how it is stopped: `pid` a number, `entries` a map or a list of
/// pairs. Throws as `set_options`.
adopt_options adopt_options_from(const term& pid, const term& entries);

} // namespace penning::actors
