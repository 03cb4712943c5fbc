#pragma once

#include <penning/actors/term.hpp>

#include <caf/message.hpp>

#include <optional>

namespace penning::bridge {

using actors::term;

/// The request to an OS process that a `call` carries: `info`, `os_pid`, `{signal, Number | Name}`,
/// `{window_size, Rows, Columns}`; nothing for any other term.
std::optional<caf::message> to_os_process_request(const term& message);

/// What it answers: `info` as a map, `os_pid` as a number or `undefined`, else `ok`.
std::optional<term> from_os_process_answer(const caf::message& answer);

} // namespace penning::bridge
