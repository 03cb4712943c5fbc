#include "driver.hpp"
#include "plain_child.hpp"
#include "subjects.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace penning::bench {
namespace {

constexpr std::string_view line = "one line of text, not long\n";
constexpr std::uint64_t warm_up = 100;

std::vector<char> line_bytes() {
  return {line.begin(), line.end()};
}

/// Counts what comes back, and times each round trip but those of the warm-up.
class round_trips {
 public:
  explicit round_trips(std::uint64_t wanted) : wanted_{wanted} {}

  /// Whether the next line is to be written: then its time begins.
  bool received(std::size_t bytes) {
    here_ += bytes;
    if (here_ < line.size())
      return false;
    here_ = 0;
    if (++done_ > warm_up)
      result_.latencies.push_back(one_.microseconds());
    if (done_ == warm_up)
      all_ = {};
    one_ = {};
    return !complete();
  }

  bool complete() const { return done_ == warm_up + wanted_; }

  measurement result() {
    result_.units = static_cast<double>(wanted_);
    result_.seconds = all_.seconds();
    return std::move(result_);
  }

 private:
  std::uint64_t wanted_, done_ = 0;
  std::size_t here_ = 0;
  stopwatch one_, all_;
  measurement result_;
};

// -- the limit ------------------------------------------------------------------------------------

struct placement {
  unsigned ours, cats;
};

placement apart() {
  return {0, std::thread::hardware_concurrency() > 1 ? 1U : 0U};
}

/// A write(2), an epoll_wait(2) and a read(2) for each line.
measurement echo_plainly(const workload& work, placement where) {
  pin(where.cats);
  auto cat = spawn_plainly("cat", {}, {.in = true, .out = true});
  pin(where.ours);
  io::unique_fd poll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{.events = EPOLLIN, .data = {}};
  if (::epoll_ctl(poll.get(), EPOLL_CTL_ADD, cat.out.get(), &event) != 0)
    throw std::runtime_error("epoll_ctl failed");
  round_trips trips{work.operations};
  for (bool next = true; !trips.complete();) {
    char block[4096];
    if (next && ::write(cat.in.get(), line.data(), line.size()) != ssize_t{line.size()})
      throw std::runtime_error("write failed");
    if (::epoll_wait(poll.get(), &event, 1, -1) != 1)
      throw std::runtime_error("epoll_wait failed");
    const auto count = ::read(cat.out.get(), block, sizeof block);
    if (count <= 0)
      throw std::runtime_error("cat has ended");
    next = trips.received(static_cast<std::size_t>(count));
  }
  auto result = trips.result();
  kill_and_reap(cat);
  return result;
}

// -- ours -----------------------------------------------------------------------------------------

/// Writes the next line on the host's thread, where the last one has come back.
class echo_observer final : public io::child_observer {
 public:
  echo_observer(std::uint64_t wanted, std::promise<measurement>& result)
      : trips_{wanted},
        result_{result} {}

  void on_started(std::shared_ptr<io::child> handle) override {
    child_ = std::move(handle);
    child_->grant(io::output::out, line.size());
    child_->write(line_bytes());
  }
  void on_start_failed(std::error_code error, std::string what) override {
    result_.set_exception(std::make_exception_ptr(std::system_error(error, what)));
  }
  void on_output(io::output stream, std::vector<char> bytes) override {
    child_->grant(stream, bytes.size());
    if (trips_.received(bytes.size()))
      child_->write(line_bytes());
    else if (trips_.complete())
      child_->close_stdin();
  }
  void on_output_closed(io::output) override {}
  void on_written(std::size_t) override {}
  void on_stdin_closed(std::error_code) override {}
  void on_end(const io::child_end&) override {
    child_.reset();
    if (trips_.complete())
      result_.set_value(trips_.result());
    else
      result_.set_exception(std::make_exception_ptr(std::runtime_error("cat has ended")));
  }

 private:
  round_trips trips_;
  std::promise<measurement>& result_;
  std::shared_ptr<io::child> child_;
};

measurement echo_through_io(const workload& work) {
  std::promise<measurement> result;
  auto measured = result.get_future();
  io::context host;
  host.start({.program = "cat"}, std::make_shared<echo_observer>(work.operations, result));
  return measured.get();
}

class echo_owner final : public driver {
 public:
  echo_owner(caf::actor_config& config, driver_place place, std::uint64_t wanted)
      : driver{config, place},
        trips_{wanted} {}

 protected:
  void begin() override {
    actors::os_process_options options;
    options.program = "cat";
    cat_ = spawn_link<actors::os_process>(host(), caf::actor{this}, std::move(options));
    write();
  }

  caf::message_handler messages() override {
    return {[this](const actors::data& message) {
              if (trips_.received(message.bytes.size()))
                return write();
              if (!trips_.complete())
                return;
              tell(trips_.result());
              exit(actors::atoms::normal());
            },
            [](const actors::exited&) {}};
  }

  void terminate(const actors::term& reason) override {
    driver::terminate(reason);
    cat_ = nullptr;
  }

 private:
  void write() { actors::send(this, cat_, actors::command{line_bytes()}); }

  round_trips trips_;
  caf::actor cat_;
};

measurement echo_through_actors(const workload& work) {
  return run_driver<echo_owner>(work.operations);
}

} // namespace

std::vector<subject> echo() {
  auto limit = [](placement where) {
    return [where](const workload& work) { return echo_plainly(work, where); };
  };
  auto on_one_processor = [](const workload& work) {
    pin(0);
    return echo_through_actors(work);
  };
  return {{.name = "echo",
           .what = "one line through cat and back; ours not pinned, unless it says so",
           .compared = quantity::microseconds_per_operation,
           .full = {.operations = 10'000},
           .quick = {.operations = 200},
           .sides = {{"limit: epoll, processors apart", limit(apart())},
                     {"the same on one processor", limit({0, 0})},
                     {"penning::io", echo_through_io},
                     {"penning::actors", echo_through_actors},
                     {"penning::actors, one processor", on_one_processor}}}};
}

} // namespace penning::bench
