#include <penning/io/stdio_targets.hpp>

#include <penning/io/option_checks.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace penning::io {
namespace {

std::error_code last_error() {
  return {errno, std::system_category()};
}

/// 0, or why no file can be opened there.
int why_not_openable(const std::string& path, our_end end) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0)
    return S_ISDIR(info.st_mode) ? EISDIR : 0;
  if (errno != ENOENT || end == our_end::writes)
    return errno;
  auto directory = std::filesystem::path(path).parent_path(); // a file there can be created
  if (::stat(directory.c_str(), &info) != 0)
    return errno;
  return S_ISDIR(info.st_mode) ? 0 : ENOTDIR;
}

void validate(const to_file& file, const char* option, our_end end, const launch_options& options) {
  refuse_nul(option, file.path);
  if (file.path.empty())
    throw option_error(option, file.path, "a file needs a path");
  if (file.mode > 07777)
    throw option_error(option, file.path,
                       "the mode " + std::to_string(file.mode) + " must be 0 to 4095 (octal 7777)");
  if (int error = why_not_openable(absolute_path(options, file.path), end))
    throw option_error(option, file.path, std::system_category().message(error));
}

void validate(const stdio_target& target, const char* option, our_end end,
              const launch_options& options) {
  if (const auto* file = std::get_if<to_file>(&target))
    validate(*file, option, end, options);
  if (std::holds_alternative<to_stdout>(target) && &target != &options.stderr)
    throw option_error(option, "stdout", "only stderr can go where stdout goes");
}

std::error_code open_path(unique_fd& fd, const std::string& path, int flags, mode_t mode,
                          std::string& what) {
  do
    fd.reset(::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, mode));
  while (!fd && errno == EINTR);
  // The child expects a description that blocks; of its flags F_SETFL changes none but these.
  if (fd && ::fcntl(fd.get(), F_SETFL, flags & O_APPEND) == 0)
    return {};
  auto error = last_error();
  what = "open " + path;
  return error;
}

/// The child's end for each kind of target.
struct target_opener {
  child_pipe& stream;
  our_end end;
  std::string& what;

  std::error_code operator()(const to_owner&) const {
    what = "pipe2";
    return open_pipe(stream, end);
  }
  std::error_code operator()(const to_null&) const {
    return open_path(stream.theirs, "/dev/null", access(), 0, what);
  }
  std::error_code operator()(const to_nothing&) const { return {}; }
  std::error_code operator()(const to_stdout&) const { return {}; }
  std::error_code operator()(const to_file& file) const {
    int creation = O_CREAT | (file.append ? O_APPEND : O_TRUNC);
    int flags = end == our_end::writes ? O_RDONLY : O_WRONLY | creation;
    return open_path(stream.theirs, file.path, flags, file.mode, what);
  }
  int access() const { return end == our_end::writes ? O_RDONLY : O_WRONLY; }
};

} // namespace

void validate_stdio(const launch_options& options) {
  validate(options.stdin, "stdin", our_end::writes, options);
  validate(options.stdout, "stdout", our_end::reads, options);
  validate(options.stderr, "stderr", our_end::reads, options);
}

void make_stdio_absolute(launch_options& options) {
  for (auto* target : {&options.stdin, &options.stdout, &options.stderr})
    if (auto* file = std::get_if<to_file>(target))
      file->path = absolute_path(options, file->path);
}

std::error_code open_target(child_pipe& stream, const stdio_target& target, our_end end,
                            std::string& what) {
  return std::visit(target_opener{stream, end, what}, target);
}

} // namespace penning::io
