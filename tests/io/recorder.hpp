#pragma once

#include <penning/io/context.hpp>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace penning::io::test {

using namespace std::chrono_literals;

/// Long enough for a loaded machine; no test that passes waits for it.
inline constexpr auto deadline = 30s;

inline std::string program(const std::string& name) {
  return PENNING_TEST_PROGRAMS "/" + name;
}

/// Everything that a child told, in order, for a test to wait upon.
class recorder : public child_observer, public std::enable_shared_from_this<recorder> {
 public:
  /// What has been heard so far. A test sees it under the lock, by `wait` or `look`.
  struct record {
    std::shared_ptr<child> handle;
    std::optional<std::pair<std::error_code, std::string>> failure;
    std::string out, err;
    std::vector<std::string> calls; ///< The names of the calls, for their order.
    std::size_t written = 0, largest = 0;
    bool out_closed = false, err_closed = false;
    std::optional<std::error_code> stdin_closed;
    std::optional<child_end> end, leader_end;

    const std::string& text(output stream) const { return stream == output::out ? out : err; }
  };

  /// `window` is granted per stream at the start and given back as bytes come in.
  explicit recorder(std::size_t window = 1024 * 1024) : window_(window) {}

  /// Waits until `condition` holds, or the deadline is over: false then.
  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, deadline, [&] { return condition(record_); });
  }
  bool wait_end() {
    return wait([](const record& x) { return x.end || x.failure; });
  }
  bool wait_started() {
    return wait([](const record& x) { return x.handle || x.failure || x.end; });
  }
  bool wait_text(const std::string& text, output stream = output::out) {
    return wait([&](const record& x) { return x.text(stream).find(text) != std::string::npos; });
  }

  record look() {
    std::lock_guard lock(mutex_);
    return record_;
  }

  void on_started(std::shared_ptr<child> handle) override {
    handle->grant(output::out, window_);
    handle->grant(output::err, window_);
    note("started", [&](record& x) { x.handle = std::move(handle); });
  }
  void on_start_failed(std::error_code error, std::string what) override {
    note("start_failed", [&](record& x) { x.failure.emplace(error, std::move(what)); });
  }
  void on_output(output stream, std::vector<char> bytes) override {
    std::shared_ptr<child> handle;
    note("output", [&](record& x) {
      (stream == output::out ? x.out : x.err).append(bytes.data(), bytes.size());
      x.largest = std::max(x.largest, bytes.size());
      handle = x.handle;
    });
    if (handle && gives_back)
      handle->grant(stream, bytes.size());
  }
  void on_output_closed(output stream) override {
    note("output_closed",
         [&](record& x) { (stream == output::out ? x.out_closed : x.err_closed) = true; });
  }
  void on_written(std::size_t bytes) override {
    note("written", [&](record& x) { x.written += bytes; });
  }
  void on_stdin_closed(std::error_code reason) override {
    note("stdin_closed", [&](record& x) { x.stdin_closed = reason; });
  }
  void on_leader_end(const child_end& end) override {
    note("leader_end", [&](record& x) { x.leader_end = end; });
  }
  void on_end(const child_end& end) override {
    if (at_end)
      at_end();
    note("end", [&](record& x) {
      x.end = end;
      x.handle = nullptr; // breaks the cycle of handle, child and observer
    });
  }

  bool gives_back = true;       ///< Grants again what has come in.
  std::function<void()> at_end; ///< On the context's thread.

 private:
  template <class Change>
  void note(const char* call, Change change) {
    std::lock_guard lock(mutex_);
    if (record_.calls.size() < 10'000)
      record_.calls.emplace_back(call);
    change(record_);
    changed_.notify_all();
  }

  std::size_t window_;
  std::mutex mutex_;
  std::condition_variable changed_;
  record record_;
};

/// Starts a program of tests/programs (or one with a slash in its name) and waits for nothing.
inline std::shared_ptr<recorder> start(child_host& host, const std::string& name,
                                       std::vector<std::string> args = {},
                                       std::size_t window = 1024 * 1024) {
  auto result = std::make_shared<recorder>(window);
  auto path = name.find('/') == std::string::npos ? program(name) : name;
  host.start({.program = path, .args = std::move(args)}, result);
  return result;
}

/// What a child has told from its start to its end.
inline recorder::record finished(child_host& host, launch_options options) {
  auto child = std::make_shared<recorder>();
  host.start(std::move(options), child);
  child->wait_end();
  return child->look();
}

/// Starts a program of tests/programs, and waits until it has started.
inline std::shared_ptr<recorder> started(child_host& host, const std::string& name,
                                         std::vector<std::string> args = {},
                                         std::size_t window = 1024 * 1024) {
  auto result = start(host, name, std::move(args), window);
  result->wait_started();
  return result;
}

/// Lets so many children live at the same time and end: what the host keeps of them for the next
/// ones is there then.
inline void live_at_once(child_host& host, int count) {
  std::vector<std::shared_ptr<recorder>> children;
  for (int i = 0; i < count; ++i)
    children.push_back(started(host, "never_reads"));
  for (const auto& child : children)
    if (auto handle = child->look().handle)
      handle->signal(SIGKILL, signal_target::leader);
  for (const auto& child : children)
    child->wait_end();
}

inline std::vector<char> bytes(std::string_view text) {
  return {text.begin(), text.end()};
}

} // namespace penning::io::test
