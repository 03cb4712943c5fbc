#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace penning::actors::utf8 {

/// Counts the characters of `text`.
///
/// Returns nothing when `text` is not UTF-8 as Erlang accepts it: shortest form only, no
/// surrogates, nothing above U+10FFFF. Complexity: O(n).
std::optional<std::size_t> length(std::string_view text) noexcept;

/// Takes the first character off `text`; precondition: `text` is valid and not empty.
char32_t take(std::string_view& text) noexcept;

/// Appends one character; precondition: a Unicode scalar value.
void append(std::string& out, char32_t character);

/// Re-encodes Latin-1 bytes, the text of Erlang's old atoms.
std::string from_latin1(std::string_view text);

/// The Latin-1 form of valid UTF-8; nothing when a character lies beyond U+00FF.
std::optional<std::string> to_latin1(std::string_view text);

} // namespace penning::actors::utf8
