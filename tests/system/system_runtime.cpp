// A runtime with one supervised program, for no_orphans: tests/programs/family, with whatever
// members it is told next.
//
//   system_runtime CONTAINMENT [pid_namespace]
//
// Lines on stdin: `next MEMBER...` for the next start, `close` (terminate_child), `start`
// (restart_child), `kill_owner`. Lines on stdout: `up MARK OS_PID` for each start, `closed`.
#include <penning/actors/port_worker.hpp>
#include <penning/actors/runtime.hpp>
#include <penning/io/subreaper.hpp>
#include <penning/supervision/messages.hpp>
#include <penning/supervision/report.hpp>
#include <penning/supervision/supervisor.hpp>

#include <cstdio>
#include <iostream>
#include <mutex>
#include <sstream>

#include <unistd.h>

namespace {

using namespace penning;

constexpr auto mark_name = "PENNING_SYSTEM_TEST";

/// What the main thread says and the starts of the child read.
struct plan {
  std::mutex mutex;
  std::vector<std::string> members{"exit"};
  bool pid_namespace = false;
  unsigned starts = 0;
  caf::actor owner; // of the program that was started last

  actors::os_process_options next() {
    const std::lock_guard lock{mutex};
    actors::os_process_options options;
    options.program = PENNING_TEST_PROGRAMS "/family";
    options.args = members;
    options.pid_namespace = pid_namespace;
    options.env.emplace_back(mark_name,
                             std::to_string(::getpid()) + "." + std::to_string(++starts));
    return options;
  }
};

void say(const std::string& line) {
  std::cout << line + '\n' << std::flush;
}

/// Says when the family is complete.
class family : public actors::port_module {
 public:
  explicit family(std::string mark) : mark_{std::move(mark)} {}

  actors::callback_result handle_stdout(std::vector<char>) override {
    say("up " + mark_ + " " + std::to_string(port().os_pid()));
    return actors::noreply{};
  }

 private:
  std::string mark_;
};

supervision::start_function starter(io::child_host& host, plan& what) {
  return [&host, &what](actors::process& supervisor, const actors::list&) {
    auto options = what.next();
    actors::module_factory make = [mark = *options.env.back().second] {
      return std::make_unique<family>(mark);
    };
    auto result = supervisor.start_link<actors::port_worker>(std::ref(host), options, make);
    const std::lock_guard lock{what.mutex};
    what.owner = result.pid;
    return result;
  };
}

template <class Request>
void ask(caf::scoped_actor& self, const caf::actor& supervisor, Request request) {
  self->request(supervisor, caf::infinite, std::move(request))
    .receive([](const supervision::supervisor_reply&) {},
             [](const caf::error& error) { say("error " + to_string(error)); });
}

void obey(const std::string& line, caf::scoped_actor& self, const caf::actor& supervisor,
          plan& what) {
  std::istringstream words{line};
  std::string order;
  words >> order;
  if (order == "next") {
    const std::lock_guard lock{what.mutex};
    what.members.assign(std::istream_iterator<std::string>{words}, {});
  } else if (order == "close") {
    ask(self, supervisor, supervision::terminate_child{"family"});
    say("closed");
  } else if (order == "start") {
    ask(self, supervisor, supervision::restart_child{"family"});
  } else if (order == "kill_owner") {
    const std::lock_guard lock{what.mutex};
    actors::send_exit(what.owner, self->address(), actors::atoms::kill());
  }
}

} // namespace

int main(int argc, char** argv) {
  const auto containment = io::contain_program(io::containment_choice_of(argv[1]));
  plan what;
  what.pid_namespace = argc > 2;
  std::string line;
  std::getline(std::cin, line); // the first `next`
  supervision::set_report_log(supervision::report_log::off);
  actors::runtime runtime{{.io = containment}};
  caf::scoped_actor self{runtime.system()};
  obey(line, self, nullptr, what);
  supervision::supervisor_options tree;
  tree.flags = {.intensity = 1'000'000, .period = std::chrono::seconds{1}};
  tree.children.push_back(
    {.id = "family", .start = starter(runtime.io(), what), .shutdown = std::chrono::seconds{5}});
  const auto top = actors::start_link<supervision::supervisor>(*self, tree);
  while (std::getline(std::cin, line))
    obey(line, self, top, what);
  actors::send_exit(top, self->address(), actors::atoms::shutdown());
  what.owner = nullptr;
}
