#pragma once

#include <penning/actors/os_process.hpp>
#include <penning/supervision/child_spec.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace penning::supervision {

/// A place in a tree file, counted from 1.
struct file_position {
  std::uint32_t line = 1;
  std::uint32_t column = 1;

  friend auto operator<=>(const file_position&, const file_position&) = default;
};

struct tree_child;

/// A supervisor of a tree file with its children, in the order in which they start.
struct tree_supervisor {
  sup_flags flags;
  std::vector<tree_child> children;
};

/// An OS program of a tree file.
struct tree_program {
  actors::os_process_options options;
  /// Where the value of each key stands.
  std::map<std::string, file_position, std::less<>> at;
};

/// A child of a tree file: what `child_spec` says about it, as plain values.
struct tree_child {
  std::string id; ///< Not empty, neither `/` nor a control character in it: names form paths.
  restart_type restart = restart_type::permanent;
  bool significant = false;
  shutdown_policy shutdown;
  std::optional<supervision::backoff> backoff;
  std::vector<std::string> start_after; ///< Ids of siblings.
  std::optional<std::chrono::milliseconds> start_timeout;
  file_position at;
  std::variant<tree_program, tree_supervisor> what;
};

/// One thing that is wrong with a tree file.
struct tree_mistake {
  file_position at;
  std::string problem; ///< Names the child, the key and its value.

  friend bool operator==(const tree_mistake&, const tree_mistake&) = default;
};

/// All that is wrong with a tree file; `what()` is one line `FILE:LINE:COLUMN: PROBLEM` for each.
class tree_file_error : public std::runtime_error {
 public:
  /// `mistakes` is not empty; sorted here by position.
  tree_file_error(const std::string& file, std::vector<tree_mistake> mistakes);

  const std::vector<tree_mistake>& mistakes() const noexcept { return mistakes_; }

 private:
  std::vector<tree_mistake> mistakes_;
};

/// Reads a tree of OS programs from TOML text; `file` is only its name in errors.
///
/// The words are OTP's. The top table is the root supervisor, each `[[child]]` one of its children:
///
///     strategy = "one_for_one" # or "one_for_all", "rest_for_one"
///     intensity = 3            # restarts within `period` seconds; 1 within 5 unless set
///     auto_shutdown = "never"  # or "any_significant", "all_significant"
///     [[child]]
///     id = "web"
///     program = "nginx"        # a path, or a name to be found in PATH
///     args = ["-g", "daemon off;"]
///     restart = "permanent"    # or "transient", "temporary"
///     significant = false
///     shutdown = 5000          # milliseconds, or "brutal_kill", "infinity"
///     start_after = ["db"]     # siblings that start before it
///     start_timeout = 10000    # milliseconds, without limit unless set
///     ready = { tcp = "127.0.0.1:80", interval = 100 } # counts as started then; or one of
///                              # stdout, unix, file = "text", command = ["program", "arg"]
///     backoff = { initial = 100, max = 30000, factor = 2.0, jitter = 0.1, reset_after = 60000 }
///
/// and every option that `actors::set_option` knows, with a table where it takes a map and a string
/// where it takes an atom:
///
///     uid = "nobody"
///     env = { LANG = "C", HOME = false } # false unsets
///     rlimits = { nofile = 1024, core = [0, "infinity"] }
///     capabilities = { keep = ["net_bind_service"] }
///     stdout = { file = "/var/log/web", append = true, mode = 0o640 }
///     stderr = "stdout"
///     limits = { memory = 268435456, cpu = 0.5 }
///
/// A child of `type = "supervisor"` has flags of its own and its children as `[[child.child]]`.
///
/// From SIGTERM to SIGKILL a program gets its `delay_to_sigkill`: where that is not set, the
/// `shutdown` time if that is, without limit if it is "infinity", else 500 ms.
/// Throws `tree_file_error` with every mistake, or with the first one against TOML's syntax.
/// Touches no file and starts nothing; see `check_programs`.
tree_supervisor parse_tree(std::string_view text, const std::string& file);

/// Throws `tree_file_error` for each program that is missing or not executable, each working
/// directory that is missing, and what else `actors::validate` refuses. Starts nothing.
void check_programs(const tree_supervisor& tree, const std::string& file);

} // namespace penning::supervision
