#pragma once

// Not installed: the files of a control group, see cgroups(7).

#include <penning/io/process_group.hpp>
#include <penning/io/unique_fd.hpp>

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace penning::io {

/// What is held open of a v2 cgroup.
struct cgroup_files {
  unique_fd directory{};        ///< See `open_directory`.
  unique_fd events{}, times{};  ///< cgroup.events and cpu.stat, if `kept`.
  std::shared_ptr<void> kept{}; ///< From one child to the next; told by who counts these.
};

/// A path that is held open, to look things up below it and nothing else.
unique_fd open_directory(const std::string& path);

/// To read a file in `directory`, perhaps more than once.
unique_fd open_file(int directory, const char* name);

/// Writes the whole of a file in `directory`. Errors: those of openat(2) and write(2).
std::error_code write_file(int directory, const char* name, std::string_view text);

/// The first 4 KiB of a file in `directory`, and of one that is open: as they are now. Nothing if
/// it cannot be read.
std::optional<std::string> read_file(int directory, const char* name);
std::optional<std::string> reread(int file);

/// Whether `cgroup.events` of a v2 cgroup says that no process lives in it or below it.
bool says_empty(const std::optional<std::string>& events);

/// The living processes in a cgroup and below it, `limit` at most, each held by a pidfd and looked
/// for once more after that; so each may be signalled. Errors: EMFILE, ENFILE and ENOMEM, only if
/// not one could be held.
std::vector<held_member> hold_processes(const std::string& path, std::size_t limit,
                                        std::error_code& error);

/// Removes a cgroup and all below it. EBUSY while a process lives there; no error if it is gone.
std::error_code remove_cgroup(const std::string& path);

} // namespace penning::io
