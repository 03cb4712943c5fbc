#include "actors_side.hpp"

#include <future>
#include <stdexcept>
#include <unordered_map>
#include <utility>

namespace penning::bench {
namespace {

/// Outlives the owner, which fills it.
struct owner_result {
  measurement measured;
  double bytes = 0;
  std::promise<void> done;
};

class owner final : public actors::process {
 public:
  owner(caf::actor_config& config, io::child_host& host, owner_task task, owner_result& result)
      : process{config},
        host_{host},
        task_{std::move(task)},
        result_{result},
        left_{task_.operations} {}

 protected:
  actors::start_result init() override {
    trap_exit(true);
    for (std::size_t i = 0; i < task_.at_once; ++i)
      start_one();
    return {};
  }

  caf::message_handler receive() override {
    return {
      [this](const actors::data& message) {
        result_.bytes += static_cast<double>(message.bytes.size());
      },
      [](const actors::error&) {},
      [](const actors::exited&) {},
    };
  }

  void handle_exit(const caf::actor_addr& from, const actors::term& reason) override {
    auto& measured = result_.measured;
    measured.latencies.push_back(running_.at(from).microseconds());
    running_.erase(from);
    ++measured.units;
    if (!(reason == actors::atoms::normal()))
      failed_ = true;
    if (left_ > 0 && !failed_)
      return start_one();
    if (!running_.empty())
      return;
    if (failed_)
      result_.done.set_exception(std::make_exception_ptr(std::runtime_error("a child failed")));
    else
      result_.done.set_value();
    exit(actors::atoms::normal());
  }

 private:
  void start_one() {
    if (left_ == 0)
      return;
    --left_;
    const stopwatch one;
    auto child = spawn_link<actors::os_process>(host_, caf::actor{this}, task_.options);
    running_.emplace(child.address(), one);
  }

  io::child_host& host_;
  owner_task task_;
  owner_result& result_;
  std::uint64_t left_;
  bool failed_ = false;
  std::unordered_map<caf::actor_addr, stopwatch> running_;
};

} // namespace

measurement run_under_an_owner(const owner_task& task, double* bytes) {
  owner_result result;
  {
    actors::runtime runtime;
    const stopwatch all;
    io::child_host& host = runtime.io();
    // Kept: an actor that nobody holds ends.
    const auto kept = runtime.system().spawn<owner>(std::ref(host), task, std::ref(result));
    result.done.get_future().get();
    result.measured.seconds = all.seconds();
  }
  if (bytes != nullptr)
    *bytes = result.bytes;
  return std::move(result.measured);
}

} // namespace penning::bench
