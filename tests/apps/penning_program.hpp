#pragma once

#include "io/processes.hpp"

#include <penning/io/unique_fd.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace penning::test {

using namespace std::chrono_literals;
using io::test::held_process;
using io::test::hold;

/// For what happens within milliseconds on an idle machine.
inline constexpr auto generous = 30s;

/// The lines of one end of a pipe.
class line_reader {
 public:
  explicit line_reader(io::unique_fd fd) : fd_{std::move(fd)} {}

  /// The next line, waiting for it; nothing at the end of the stream or after `generous`.
  std::optional<std::string> next() {
    const auto deadline = std::chrono::steady_clock::now() + generous;
    std::size_t end;
    while ((end = text_.find('\n')) == std::string::npos)
      if (!read_more(deadline))
        return std::nullopt;
    auto line = text_.substr(0, end);
    text_.erase(0, end + 1);
    return line;
  }

  /// All that comes until the end of the stream.
  std::string rest() {
    while (read_more(std::chrono::steady_clock::now() + generous)) {
    }
    return std::exchange(text_, {});
  }

  void close() { fd_.reset(); }

 private:
  bool read_more(std::chrono::steady_clock::time_point deadline) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
    pollfd ready{fd_.get(), POLLIN, 0};
    if (::poll(&ready, 1, std::max(0, static_cast<int>(left.count()))) != 1)
      return false;
    std::array<char, 4096> buffer;
    const auto size = ::read(fd_.get(), buffer.data(), buffer.size());
    if (size > 0)
      text_.append(buffer.data(), static_cast<std::size_t>(size));
    return size > 0;
  }

  io::unique_fd fd_;
  std::string text_;
};

/// The real `penning` with both its outputs in pipes; killed if it still runs at the end of a test.
class penning_program {
 public:
  explicit penning_program(std::vector<std::string> args) {
    std::array<int, 2> out_pipe, err_pipe;
    EXPECT_EQ(::pipe2(out_pipe.data(), O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(err_pipe.data(), O_CLOEXEC), 0);
    out = line_reader{io::unique_fd{out_pipe[0]}};
    err = line_reader{io::unique_fd{err_pipe[0]}};
    const io::unique_fd out_end{out_pipe[1]}, err_end{err_pipe[1]};
    start(std::move(args), out_end.get(), err_end.get());
  }
  penning_program(const penning_program&) = delete;
  penning_program& operator=(const penning_program&) = delete;
  ~penning_program() {
    if (pid_ == 0)
      return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }

  /// Its exit status, or minus the signal that ended it; nothing if it runs on for too long.
  std::optional<int> wait() {
    if (!process_->dies_within(generous))
      return std::nullopt;
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  line_reader out{io::unique_fd{}}, err{io::unique_fd{}};

 private:
  void start(std::vector<std::string> args, int out_end, int err_end) {
    args.insert(args.begin(), PENNING_PROGRAM);
    std::vector<char*> argv;
    for (auto& arg : args)
      argv.push_back(arg.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, out_end, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, err_end, STDERR_FILENO);
    EXPECT_EQ(::posix_spawn(&pid_, PENNING_PROGRAM, &actions, nullptr, argv.data(), ::environ), 0);
    ::posix_spawn_file_actions_destroy(&actions);
    process_.emplace(pid_);
  }

  pid_t pid_ = 0;
  std::optional<held_process> process_;
};

/// A test with a folder of its own for tree files and sockets.
class penning_test : public testing::Test {
 protected:
  penning_test() {
    std::string name = testing::TempDir() + "penning.XXXXXX";
    folder_ = ::mkdtemp(name.data());
    ::setenv("XDG_RUNTIME_DIR", folder_.c_str(), 1);
  }
  ~penning_test() override { std::filesystem::remove_all(folder_); }

  const std::filesystem::path& folder() const { return folder_; }

  std::string file(const std::string& text, const std::string& name = "tree.toml") const {
    const auto path = folder_ / name;
    std::ofstream{path} << text;
    return path;
  }

 private:
  std::filesystem::path folder_;
};

using event = nlohmann::json;

/// `penning up --log-format json` and its events.
class running_tree : public penning_program {
 public:
  explicit running_tree(const std::string& file, std::vector<std::string> more = {})
      : penning_program{args_for(file, std::move(more))} {}

  /// The next event, null at the end of the log.
  event next() {
    const auto line = out.next();
    return line ? event::parse(*line) : event{};
  }

  /// The next event of this kind and child, or null if the log ends before. Others are skipped.
  event next(const std::string& kind, const std::string& id) {
    auto each = next();
    while (!each.is_null() && (each["event"] != kind || each.value("id", "") != id))
      each = next();
    return each;
  }

  /// Waits for a child's start; its process, held.
  held_process started(const std::string& id, const std::string& kind = "started") {
    const auto found = next(kind, id);
    EXPECT_FALSE(found.is_null()) << id << " has not " << kind;
    return held_process{found.is_null() ? 0 : found.value("os_pid", 0)};
  }

  /// All events that are left, once it has ended.
  std::vector<event> rest() {
    std::vector<event> events;
    for (auto each = next(); !each.is_null(); each = next())
      events.push_back(each);
    return events;
  }

 private:
  static std::vector<std::string> args_for(const std::string& file, std::vector<std::string> more) {
    std::vector<std::string> args{"up", file, "--log-format", "json"};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
};

/// Runs it to its end: exit status, stdout, stderr.
struct finished {
  std::optional<int> status;
  std::string out, err;
};

inline finished run_penning(std::vector<std::string> args) {
  penning_program program{std::move(args)};
  auto out = program.out.rest();
  auto err = program.err.rest();
  return {program.wait(), std::move(out), std::move(err)};
}

} // namespace penning::test
