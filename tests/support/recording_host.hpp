#pragma once

#include <penning/io/child.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace penning::test {

/// A child host that starts nothing: it records what is asked of children, and the test plays what
/// they do.
class recording_host final : public io::child_host {
 public:
  struct record {
    io::launch_options options;
    std::shared_ptr<io::child_observer> observer;
    std::vector<std::pair<int, io::signal_target>> signals;
    std::size_t granted_out = 0, granted_err = 0;
    std::string written;
    std::vector<io::window_size> sizes;
    bool stdin_closed = false, hung_up = false;

    void start() { observer->on_started(std::make_shared<handle>(*this)); }
    void write(io::output stream, std::string_view text) {
      observer->on_output(stream, {text.begin(), text.end()});
    }
    void end(io::exit_status status) {
      observer->on_end({pid, status, {}});
      observer.reset();
    }
    pid_t pid = 4711;
  };

  void start(io::launch_options options, std::shared_ptr<io::child_observer> observer) override {
    children.push_back(std::make_unique<record>());
    children.back()->options = std::move(options);
    children.back()->observer = std::move(observer);
  }

  record& last() { return *children.back(); }

  std::vector<std::unique_ptr<record>> children;

 private:
  class handle final : public io::child {
   public:
    explicit handle(record& to) : to_{to} {}

    pid_t pid() const noexcept override { return to_.pid; }
    io::containment_kind contained_by() const noexcept override {
      return io::containment_kind::process_group;
    }
    void grant(io::output stream, std::size_t bytes) override {
      (stream == io::output::out ? to_.granted_out : to_.granted_err) += bytes;
    }
    void write(std::vector<char> bytes) override { to_.written.append(bytes.begin(), bytes.end()); }
    void close_stdin() override { to_.stdin_closed = true; }
    void resize(io::window_size size) override { to_.sizes.push_back(size); }
    void hang_up() override { to_.hung_up = true; }
    void signal(int number, io::signal_target target) override {
      to_.signals.emplace_back(number, target);
    }
    io::cgroup_statistics statistics() const override { return {}; }

   private:
    record& to_;
  };
};

} // namespace penning::test
