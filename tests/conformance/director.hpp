#pragma once

#include "world.hpp"

#include <penning/supervision/messages.hpp>
#include <penning/supervision/report.hpp>

#include <functional>

namespace penning::conformance {

/// The parent of the supervisor at the top: does what the replay tells it, and writes down what it
/// hears.
class director final : public actors::process {
 public:
  using step = std::function<void(director&)>;

  director(caf::actor_config& config, world& where) : process{config}, world_{where} {
    trap_exit(true);
  }

  /// Writes down what the start of the supervisor at the top came to.
  void note_start(const caf::actor_addr& pid, const actors::start_result& result) {
    if (result.how == actors::start_result::kind::ok)
      world_.start_succeeded(pid.id());
    world_.update([&](auto& s) { s.top_start = start_term(pid, result); });
  }

 protected:
  caf::message_handler receive() override {
    return {
      [this](const step& run) { run(*this); },
      [this](supervision::report& what) {
        if (is_otps(what.kind))
          world_.update([&](auto& s) { s.reports.push_back(to_term(what)); });
      },
    };
  }

  void handle_exit(const caf::actor_addr&, const term& reason) override {
    world_.update([&](auto& s) { s.top_exit = reason; });
  }

  void handle_down(const actors::down& message) override { world_.set_gone(message.from.id()); }

  void handle_ack(const caf::actor_addr& from, const actors::start_result& result) override {
    note_start(from, result);
  }

 private:
  /// Some of ours tell what OTP does without a word.
  static bool is_otps(supervision::report_kind kind) {
    using enum supervision::report_kind;
    return kind != child_ended && kind != child_stopped && kind != supervisor_ended;
  }

  /// What `start_link` returns in OTP.
  static term start_term(const caf::actor_addr& pid, const actors::start_result& result) {
    using enum actors::start_result::kind;
    if (result.how == stop)
      return actors::tuple_of(actors::atoms::error(), result.value);
    if (result.how == ignore)
      return actors::atom{"ignore"};
    return actors::tuple_of(actors::atoms::ok(), actors::to_pid(pid));
  }

  world& world_;
};

} // namespace penning::conformance

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::conformance::director::step)
