#pragma once

#include <penning/actors/caf.hpp>
#include <penning/io/child.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace penning::actors {

// What the observer posts: an Asio handler never touches the actor's state.

struct child_started {
  std::shared_ptr<io::child> child;
};
struct child_failed {
  std::error_code code;
  std::string what;
};
struct child_output {
  io::output stream;
  std::vector<char> bytes;
};
struct child_output_closed {
  io::output stream;
};
struct child_wrote {
  std::size_t bytes;
};
struct child_stdin_closed {
  std::error_code reason;
};
struct child_leader_ended { // those that it left have not
  io::child_end end;
};
struct child_ended {
  io::child_end end;
};
struct child_statistics {
  io::cgroup_statistics used;
};

} // namespace penning::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::child_started)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::child_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::child_output)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::child_output_closed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::child_wrote)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::child_stdin_closed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::child_leader_ended)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::child_ended)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::child_statistics)

namespace penning::actors {

/// Keeps the actor alive as long as its child lives, whoever else has a handle.
class os_process_observer final : public io::child_observer {
 public:
  /// The end of each output is told only to one who asks for it.
  os_process_observer(caf::actor self, bool tells_output_ends)
      : self_{std::move(self)},
        tells_output_ends_{tells_output_ends} {}

  void on_started(std::shared_ptr<io::child> child) override {
    post(self_, child_started{std::move(child)});
  }
  void on_start_failed(std::error_code code, std::string what) override {
    post(self_, child_failed{code, std::move(what)});
  }
  void on_output(io::output stream, std::vector<char> bytes) override {
    post(self_, child_output{stream, std::move(bytes)});
  }
  void on_output_closed(io::output stream) override {
    if (tells_output_ends_)
      post(self_, child_output_closed{stream});
  }
  void on_written(std::size_t bytes) override { post(self_, child_wrote{bytes}); }
  void on_stdin_closed(std::error_code reason) override { post(self_, child_stdin_closed{reason}); }
  void on_leader_end(const io::child_end& end) override { post(self_, child_leader_ended{end}); }
  void on_end(const io::child_end& end) override { post(self_, child_ended{end}); }

 private:
  caf::actor self_;
  bool tells_output_ends_;
};

} // namespace penning::actors
