#pragma once

#include "harness.hpp"

#include <penning/actors/runtime.hpp>
#include <penning/supervision/report.hpp>

#include <future>
#include <stdexcept>
#include <utility>

namespace penning::bench {

struct go {};

} // namespace penning::bench

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::bench::go)

namespace penning::bench {

/// Where a driver runs, and to whom it tells what it has measured.
struct driver_place {
  io::child_host& host;
  std::promise<measurement>& result;
};

/// An actor that does the work of a side, as those who it is about do: by messages. Traps exits.
/// One that ends without having told a result has failed.
class driver : public actors::process {
 public:
  driver(caf::actor_config& config, driver_place place) : process{config}, place_{place} {}

 protected:
  using process::exit;

  /// Its first message.
  virtual void begin() = 0;

  /// What it understands besides.
  virtual caf::message_handler messages() { return {}; }

  actors::start_result init() override {
    trap_exit(true);
    actors::post(caf::actor{this}, go{});
    return {};
  }

  caf::message_handler receive() final {
    return messages().or_else([this](go) { begin(); });
  }

  void handle_exit(const caf::actor_addr&, const actors::term& reason) override {
    fail("ended: " + to_string(reason));
  }

  void terminate(const actors::term& reason) override {
    fail("the driver ended: " + to_string(reason));
  }

  io::child_host& host() { return place_.host; }

  /// Only what is told first counts.
  void tell(measurement measured) {
    if (!std::exchange(told_, true))
      place_.result.set_value(std::move(measured));
  }

  void fail(const std::string& why) {
    if (std::exchange(told_, true))
      return;
    place_.result.set_exception(std::make_exception_ptr(std::runtime_error(why)));
    exit(actors::atoms::shutdown());
  }

 private:
  driver_place place_;
  bool told_ = false;
};

/// Runs a driver in a runtime of its own until it has told a result; without reports.
template <class Driver, class... Args>
measurement run_driver(Args... args) {
  supervision::set_report_log(supervision::report_log::off);
  std::promise<measurement> result;
  auto measured = result.get_future();
  actors::runtime runtime;
  const auto kept =
    runtime.system().spawn<Driver>(driver_place{runtime.io(), result}, std::move(args)...);
  return measured.get();
}

} // namespace penning::bench
