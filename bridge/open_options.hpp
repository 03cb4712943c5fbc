#pragma once

#include <penning/actors/os_process.hpp>

namespace penning::bridge {

/// The options of an OS process from the terms of an `open` request: a program (binary), its
/// arguments (list of iodata) and a map; docs/protocol.md lists the keys.
/// Throws `io::option_error` for an unknown key or a value of the wrong kind, naming it.
actors::os_process_options to_options(const actors::term& program, const actors::term& args,
                                      const actors::term& options);

} // namespace penning::bridge
