#pragma once

#include <penning/actors/option_value.hpp>
#include <penning/io/launch_options.hpp>

#include <optional>
#include <vector>

namespace penning::actors {

// What the larger options of `io::launch_options` look like as terms. A map may be a list of pairs,
// its keys and all words atoms or text. Errors: those of `option_value`.

/// `#{Name => Value}`; the value `false` or `nil` unsets.
std::vector<io::environment_change> environment_from(const option_value& value);

/// A number or a name.
io::account account_from(const option_value& value);
std::vector<io::account> accounts_from(const option_value& value);

/// `#{Name => Limit}`, where a limit is a number or `infinity` for both, or `{Soft, Hard}` or
/// `[Soft, Hard]` of these.
std::vector<io::resource_limit> limits_from(const option_value& value);

/// `{keep, Names}` or `{drop, Names}`, or `#{keep => Names}`, `#{drop => Names}`.
io::capability_change capabilities_from(const option_value& value);

/// `owner`, `null`, `closed`, `stdout`, `{file, Path}`,
/// `#{file => Path, append => Flag, mode => Integer}`.
io::stdio_target target_from(const option_value& value);

/// `true`, `false` for none, or `#{rows => N, columns => N, x_pixels => N, y_pixels => N, modes =>
/// #{Name => Integer or Flag}}`, where nothing needs to be said.
std::optional<io::pty_options> pty_from(const option_value& value);

} // namespace penning::actors
