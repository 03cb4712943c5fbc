#pragma once

#include <penning/actors/term.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace penning::actors {

/// A signal: its number, or its name with or without "SIG", in any case.
using signal_choice = std::variant<int, std::string>;

/// Its number, 1 to SIGRTMAX; nothing for any other number and a name that signal(7) has not.
std::optional<int> signal_number(const signal_choice& signal);

/// The same for an integer, an atom or a binary.
std::optional<int> signal_number(const term& signal);

} // namespace penning::actors
