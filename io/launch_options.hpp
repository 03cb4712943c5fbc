#pragma once

#include <penning/io/cgroup_options.hpp>
#include <penning/io/containment.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace penning::io {

/// A variable of a child's environment: set to a value, or unset (no value).
using environment_change = std::pair<std::string, std::optional<std::string>>;

/// A user or a group: its number, or its name in the system's database.
using account = std::variant<std::uint32_t, std::string>;

/// A limit of the kernel's for the child, see getrlimit(2); a value that is not given is infinity.
struct resource_limit {
  std::string name{}; ///< As the constant without its prefix, in lower case: "nofile", "core".
  std::optional<std::uint64_t> soft{};
  std::optional<std::uint64_t> hard{};
};

/// Which Linux capabilities a child has, see capabilities(7). By default what its user gives it; a
/// change of it takes even the ambient ones of the runtime. Names with or without `cap_`, in any
/// case. To take away what the runtime has in its bounding set needs CAP_SETPCAP.
struct capability_change {
  enum class kind : std::uint8_t {
    keep, ///< These and no other, also when it is not root.
    drop, ///< All that it would have but these.
  };
  kind what = kind::drop;
  std::vector<std::string> names{};
};

/// A stream that goes to or comes from its owner.
struct to_owner {
  friend bool operator==(const to_owner&, const to_owner&) = default;
};
/// /dev/null.
struct to_null {
  friend bool operator==(const to_null&, const to_null&) = default;
};
/// The descriptor is closed in the child: to use it is EBADF there, and the next file that it opens
/// gets the number. Programs that expect the three to be open are better off with `to_null`.
struct to_nothing {
  friend bool operator==(const to_nothing&, const to_nothing&) = default;
};
/// stderr only: wherever stdout goes.
struct to_stdout {
  friend bool operator==(const to_stdout&, const to_stdout&) = default;
};
/// A file, opened by the runtime and with its rights; relative to `cd`. For stdin it is read; for
/// the others it is created where it is missing. One that cannot be opened is a failed start; a
/// FIFO that nobody reads is one (ENXIO), one that nobody writes is at its end: neither is waited
/// for.
struct to_file {
  std::string path{};
  bool append = false;       ///< Else what was in it is lost.
  std::uint32_t mode = 0666; ///< Of a file that is created; the runtime's umask applies.
  friend bool operator==(const to_file&, const to_file&) = default;
};
using stdio_target = std::variant<to_owner, to_null, to_nothing, to_stdout, to_file>;

/// In characters, and in pixels where anybody wants to know, see ioctl_tty(2).
struct window_size {
  std::uint16_t rows = 24, columns = 80, x_pixels = 0, y_pixels = 0;
  friend bool operator==(const window_size&, const window_size&) = default;
};

/// A pseudo-terminal: the controlling terminal of the child's own session, and those of its streams
/// that go to the owner, one at least. Its modes are Linux' own to begin with: canonical, with
/// echo; what is written to it in the middle of a line is lost beyond 4095 bytes then, see
/// termios(3).
struct pty_options {
  window_size size{};
  /// Terminal modes by their names in RFC 4254, section 8, in any case: {"echo", 0}, {"vintr", 3}.
  /// A control character is switched off by 255; speeds are in baud and change nothing.
  std::vector<std::pair<std::string, std::uint32_t>> modes{};
};

/// What becomes of a child's descendants when the child itself has ended.
enum class orphan_policy : std::uint8_t {
  kill,
  keep, ///< They live on until they end or the child's actor does; their output is delivered.
};

/// What to start and how.
struct launch_options {
  std::string program{};                 ///< A path with a slash, or a name to be found in PATH.
  std::vector<std::string> args{};       ///< Without the program's own name.
  std::optional<std::string> arg0{};     ///< What the program sees as its name; else `program`.
  std::string cd{};                      ///< Working directory; the caller's own when empty.
  std::vector<environment_change> env{}; ///< Changes to the caller's environment, in order.
  bool clear_env = false;                ///< `env` changes an empty environment instead.

  std::optional<account> uid{}; ///< The user that it runs as, and enters `cd` as.
  std::optional<account> gid{}; ///< Its group; else the primary one of `uid`.
  /// Its supplementary groups, none when empty; else those that initgroups(3) gives to `uid`.
  std::optional<std::vector<account>> groups{};
  bool allow_root = false; ///< Lets these three mean root or root's group.
  std::optional<std::uint32_t> umask{};
  std::optional<int> nice{}; ///< -20 to 19, absolute.
  std::vector<resource_limit> rlimits{};
  std::optional<capability_change> capabilities{};
  bool no_new_privs = false;
  bool session = false; ///< A session of its own, not only a process group.

  stdio_target stdin{}, stdout{}, stderr{};
  std::optional<pty_options> pty{};

  orphan_policy orphans = orphan_policy::kill;
  bool pid_namespace = false;
  std::optional<containment_kind> require_containment{}; ///< Nothing is started with a weaker one.
  std::optional<cgroup_options> cgroup{};
};

/// Bad input, told before anything has started: names the option, its value and what is wrong.
class option_error : public std::invalid_argument {
 public:
  option_error(std::string option, std::string value, std::string problem);

  const std::string& option() const noexcept { return option_; }
  const std::string& value() const noexcept { return value_; }
  const std::string& problem() const noexcept { return problem_; }

 private:
  std::string option_, value_, problem_;
};

/// Throws `option_error` for an empty program, a NUL anywhere, an environment name that is empty or
/// has `=`, a working directory that is missing or none, a user, group, limit or capability that
/// does not exist, root unless it is allowed, a number out of its range, and a file for a stream
/// that is not there. Touches nothing. Whether the program can be executed is not looked at:
/// `resolve_program` does, and execve(2) has the last word; what takes a right that the runtime has
/// not is a failed start as well.
void validate(const launch_options& options);

/// The absolute path that execve(2) will get: `options.program` itself when it has a slash
/// (relative to `options.cd`), else the first executable file of that name in PATH (the child's
/// PATH if `env` sets one, the C library's default when it has none). Throws `option_error`
/// when there is no such file, or only files without the execute bit.
std::string resolve_program(const launch_options& options);

/// The same without throwing: the path and no error, or the path that was tried last (the bare
/// name when PATH has no such file) and ENOENT or EACCES.
std::pair<std::string, std::error_code> find_program(const launch_options& options);

} // namespace penning::io
