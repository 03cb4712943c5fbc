#pragma once

#include "support/deterministic.hpp"
#include "support/recording_host.hpp"

#include <penning/actors/os_process.hpp>

#include <csignal>
#include <string>
#include <utility>
#include <vector>

namespace penning::test {

using io::signal_target;
using signals = std::vector<std::pair<int, signal_target>>;

/// How a child is asked to end; the second wakes one that is stopped.
inline const signals asked_to_end{{SIGTERM, signal_target::leader},
                                  {SIGCONT, signal_target::leader}};

inline std::string text(const std::vector<char>& bytes) {
  return {bytes.begin(), bytes.end()};
}

/// An owner that takes what its process sends; it may hold back its acknowledgements.
class owner : public probe {
 public:
  struct received {
    probe::log signals;
    std::string data, error;
    std::vector<std::string> lines; // "data|error eol|noeol bytes"
    std::vector<term> notices;      // of stdin
    std::vector<actors::exited> ends;
    int closed = 0, connected = 0;
    std::vector<caf::response_promise> unconsumed;
    bool consumes = true;
  };

  owner(caf::actor_config& config, received& to) : probe{config, to.signals, true}, to_{to} {}

  caf::message_handler receive() override {
    return caf::message_handler{
      [this](actors::data& m) { return take(to_.data, m.bytes); },
      [this](actors::error& m) { return take(to_.error, m.bytes); },
      [this](actors::data_line& m) { return take_line("data ", m.line); },
      [this](actors::error_line& m) { return take_line("error ", m.line); },
      [this](actors::stdin_busy m) { note(tuple_of("stdin_busy"_a, m.queued)); },
      [this](actors::stdin_ready) { note("stdin_ready"_a); },
      [this](actors::stdin_closed& m) { note(tuple_of("stdin_closed"_a, m.reason)); },
      [this](actors::stdin_refused& m) { note(tuple_of("stdin_refused"_a, m.bytes, m.reason)); },
      [this](actors::closed) { ++to_.closed; },
      [this](actors::connected) { ++to_.connected; },
      [this](actors::exited& m) { to_.ends.push_back(m); },
    }
      .or_else(probe::receive());
  }

 private:
  void note(term what) { to_.notices.push_back(std::move(what)); }

  caf::result<void> take_line(const char* tag, const actors::line& line) {
    to_.lines.push_back(tag + std::string{line.complete ? "eol " : "noeol "} + text(line.bytes));
    return consume();
  }

  caf::result<void> take(std::string& into, const std::vector<char>& bytes) {
    into += text(bytes);
    return consume();
  }

  caf::result<void> consume() {
    auto promise = make_response_promise();
    if (to_.consumes)
      promise.deliver(caf::unit);
    else
      to_.unconsumed.push_back(promise);
    return promise;
  }

  received& to_;
};

/// An OS process on a host that starts nothing, and its owner.
class OsProcess : public deterministic {
 protected:
  OsProcess() { owner_ = spawn<owner>(got_); }

  ~OsProcess() override {
    tell(owner_, [](probe& self) { self.exit(atoms::normal()); });
    for (auto& record : host_.children)
      if (record->observer)
        record->end({io::exit_status::kind::signal, SIGKILL, false});
    run();
  }

  void tell(const caf::actor& whom, probe::step step) {
    actors::post(whom, std::move(step));
    run();
  }

  caf::actor start(actors::os_process_options options = {}) {
    if (options.program.empty())
      options.program = "/bin/true";
    tell(owner_, [&](probe& self) {
      start_ = self.start_link<actors::os_process>(host_, caf::actor{&self}, options);
    });
    child_ = start_.pid;
    return child_;
  }

  caf::actor running(actors::os_process_options options = {}) {
    start(std::move(options));
    host_.last().start();
    run();
    return child_;
  }

  template <class Message>
  void from_owner(Message message) {
    tell(owner_, [&](probe& self) { actors::send(&self, child_, message); });
  }

  void end(io::exit_status::kind how, int code) {
    host_.last().end({how, code, false});
    run();
  }

  static constexpr auto status = io::exit_status::kind::status;
  static constexpr auto by_signal = io::exit_status::kind::signal;

  owner::received got_;
  recording_host host_;
  caf::actor owner_, child_;
  actors::started start_;
};

} // namespace penning::test
