#pragma once

#include <penning/actors/caf.hpp>
#include <penning/io/child.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
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

struct child_event {
  std::variant<child_started, child_failed, child_output, child_output_closed, child_wrote,
               child_stdin_closed, child_leader_ended, child_ended>
    what;
};

} // namespace penning::actors

// One type for all: each that an actor understands costs it memory.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::child_event)

namespace penning::actors {

/// Keeps the actor alive as long as its child lives, whoever else has a handle.
class os_process_observer final : public io::child_observer {
 public:
  /// The windows are those that the outputs begin with. The end of each is told only to one who
  /// asks for it.
  os_process_observer(caf::actor self, std::size_t out_window, std::size_t err_window,
                      bool tells_output_ends)
      : self_{std::move(self)},
        out_window_{out_window},
        err_window_{err_window},
        tells_output_ends_{tells_output_ends} {}

  /// Here and not by the actor, which would have to be woken before anything is read.
  void on_started(std::shared_ptr<io::child> child) override {
    child->grant(io::output::out, out_window_);
    child->grant(io::output::err, err_window_);
    tell(child_started{std::move(child)});
  }
  void on_start_failed(std::error_code code, std::string what) override {
    tell(child_failed{code, std::move(what)});
  }
  void on_output(io::output stream, std::vector<char> bytes) override {
    tell(child_output{stream, std::move(bytes)});
  }
  void on_output_closed(io::output stream) override {
    if (tells_output_ends_)
      tell(child_output_closed{stream});
  }
  void on_written(std::size_t bytes) override { tell(child_wrote{bytes}); }
  void on_stdin_closed(std::error_code reason) override { tell(child_stdin_closed{reason}); }
  void on_leader_end(const io::child_end& end) override { tell(child_leader_ended{end}); }
  void on_end(const io::child_end& end) override { tell(child_ended{end}); }

 private:
  template <class Event>
  void tell(Event event) {
    post(self_, child_event{std::move(event)});
  }

  caf::actor self_;
  std::size_t out_window_, err_window_;
  bool tells_output_ends_;
};

} // namespace penning::actors
