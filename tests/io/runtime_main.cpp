// A runtime to be killed by a test: starts the program that it is given, passes on what that
// writes, and waits for its end.
//
//   io_runtime [-v2 | -v1 | -subreaper | -group] [-pid] [-pids NUMBER] [-path CGROUP] PROGRAM
//   [ARG...]
#include <penning/io/subreaper.hpp>

#include <future>
#include <string>

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

int main(int, char** argv) {
  context_options how;
  launch_options options;
  cgroup_options cgroup;
  for (std::string word; (word = *++argv)[0] == '-';)
    if (word == "-pid")
      options.pid_namespace = true;
    else if (word == "-pids")
      cgroup.pids = std::stoul(*++argv);
    else if (word == "-path")
      cgroup.path = *++argv;
    else
      how.containment = word == "-v2"          ? containment_choice::cgroup_v2
                        : word == "-v1"        ? containment_choice::cgroup_v1
                        : word == "-subreaper" ? containment_choice::subreaper
                                               : containment_choice::process_group;
  if (cgroup.pids)
    options.cgroup = cgroup;
  options.program = *argv;
  while (*++argv != nullptr)
    options.args.push_back(*argv);
  context host{contain_program(how.containment)};
  auto observer = std::make_shared<relay>();
  auto end = observer->end.get_future();
  host.start(options, observer);
  return end.get();
}
