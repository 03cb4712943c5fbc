// A runtime to be killed by a test: starts the program that it is given, passes on what that
// writes, and waits for its end.
//
//   io_runtime PROGRAM [ARG...]
#include <penning/io/context.hpp>

#include <future>

#include <unistd.h>

namespace {

using namespace penning::io;

struct relay : child_observer {
  std::shared_ptr<child> handle;
  std::promise<int> end;

  void on_started(std::shared_ptr<child> x) override {
    handle = std::move(x);
    handle->grant(output::out, 1024 * 1024);
  }
  void on_start_failed(std::error_code error, std::string) override {
    end.set_value(error.value());
  }
  void on_output(output, std::vector<char> bytes) override {
    (void)!::write(1, bytes.data(), bytes.size());
  }
  void on_output_closed(output) override {}
  void on_written(std::size_t) override {}
  void on_stdin_closed(std::error_code) override {}
  void on_end(const child_end&) override {
    handle = nullptr;
    end.set_value(0);
  }
};

} // namespace

int main(int argc, char** argv) {
  context host;
  auto observer = std::make_shared<relay>();
  auto end = observer->end.get_future();
  host.start({.program = argv[1], .args = {argv + 2, argv + argc}}, observer);
  return end.get();
}
