#pragma once

#include "io/processes.hpp"
#include "support/deterministic.hpp"

#include <penning/actors/os_process.hpp>
#include <penning/actors/runtime.hpp>
#include <penning/io/context.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace penning::test {

/// What an owner was told, in order and as text; a test waits for it.
class journal {
 public:
  using entries = std::vector<std::string>;

  void add(std::string entry) {
    const std::lock_guard lock{mutex_};
    entries_.push_back(std::move(entry));
    changed_.notify_all();
  }

  /// What comes first and has not been taken; empty if nothing comes.
  std::string next() {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, 30s, [this] { return taken_ < entries_.size(); });
    return taken_ < entries_.size() ? entries_[taken_++] : "";
  }

  /// All that is told up to the exit signal, which is the last.
  entries rest() {
    entries result;
    do
      result.push_back(next());
    while (!result.back().empty() && !result.back().starts_with("exit "));
    return result;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  entries entries_;
  std::size_t taken_ = 0;
};

/// An owner that writes down what it is told: "data up\n", "line up", "started",
/// "exited", "exit normal".
class keeper : public probe {
 public:
  keeper(caf::actor_config& config, probe::log& remembered, journal& to)
      : probe{config, remembered, true},
        to_{to} {}

  caf::message_handler receive() override {
    return caf::message_handler{
      [this](actors::data& m) {
        to_.add("data " + std::string{m.bytes.begin(), m.bytes.end()});
      },
      [this](actors::data_line& m) {
        to_.add((m.line.complete ? "line " : "part ")
                + std::string{m.line.bytes.begin(), m.line.bytes.end()});
      },
      [this](const actors::stdin_busy& m) {
        to_.add("busy");
        queued = m.queued;
      },
      [this](actors::stdin_ready) { to_.add("ready"); },
      [this](actors::stdin_closed& m) { to_.add("stdin_closed " + to_string(m.reason)); },
      [this](const actors::stdin_refused& m) { refused += m.bytes; },
      [this](actors::closed) { to_.add("closed"); },
      [this](actors::exited) { to_.add("exited"); },
    }
      .or_else(probe::receive());
  }

  caf::actor child;
  std::uint64_t queued = 0, refused = 0; // as told last, and in all

 protected:
  void handle_ack(const caf::actor_addr&, const actors::start_result& result) override {
    const bool is_up = result.how == actors::start_result::kind::ok;
    to_.add(is_up ? "started" : "failed " + to_string(result.value));
  }
  void handle_exit(const caf::actor_addr&, const term& reason) override {
    to_.add("exit " + to_string(reason));
  }
  void terminate(const term& reason) override {
    child = nullptr;
    probe::terminate(reason);
  }

 private:
  journal& to_;
};

/// Real processes, in a directory of the test's own.
class real_os_process : public testing::Test {
 protected:
  real_os_process() {
    std::filesystem::create_directory(directory_);
    owner_ = system_->spawn<keeper>(log_, told_);
  }

  ~real_os_process() override {
    end_owner();
    EXPECT_TRUE(io::test::only_guardians_left());
    std::filesystem::remove_all(directory_);
  }

  /// And waits until every process of penning has ended.
  void end_owner() {
    if (owner_)
      actors::send_exit(owner_, {}, atoms::kill());
    owner_ = nullptr;
    system_.reset();
  }

  void tell(std::function<void(keeper&)> step) {
    actors::post(owner_, probe::step{[step = std::move(step)](probe& self) {
                   step(static_cast<keeper&>(self));
                 }});
  }

  void start(actors::os_process_options options) {
    tell([this, options](keeper& self) {
      self.child = self.start_link<actors::os_process>(io_, caf::actor{&self}, options).pid;
    });
  }

  template <class Message>
  void send(Message message) {
    tell([message](keeper& self) { actors::send(&self, self.child, message); });
  }

  void send_exit(const term& reason) {
    tell([reason](keeper& self) { self.exit(self.child, reason); });
  }

  const std::string directory_ = testing::TempDir() + "os_process_" + std::to_string(::getpid());
  probe::log log_;
  journal told_;
  io::context io_;
  actors::system_config config_;
  std::optional<caf::actor_system> system_{std::in_place, config_};
  caf::actor owner_;
};

inline std::string output_of(const journal::entries& told) {
  std::string result;
  for (const auto& entry : told)
    if (entry.starts_with("data "))
      result += entry.substr(5);
  return result;
}

} // namespace penning::test
