#include "commands.hpp"
#include "instance_directory.hpp"
#include "read_tree.hpp"
#include "session.hpp"
#include "signal_watch.hpp"
#include "tree_builder.hpp"
#include "tree_server.hpp"

#include <penning/actors/runtime.hpp>
#include <penning/io/subreaper.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <future>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace penning::apps {

namespace {

bool colour_wanted(const up_options& options) {
  const char* terminal = std::getenv("TERM");
  return options.colour && ::isatty(STDOUT_FILENO) == 1 && !std::getenv("NO_COLOR") && terminal
         && std::strcmp(terminal, "dumb") != 0;
}

log_format format_for(const up_options& options, const supervision::tree_supervisor& tree) {
  constexpr std::size_t widest = 32, narrowest = std::strlen("penning");
  if (options.json)
    return json_format();
  return text_format(std::clamp(longest_path(tree), narrowest, widest), colour_wanted(options));
}

/// Listens under the instance's name in the first folder that will do; without one the instance
/// runs nevertheless, unseen by `penning tree`.
std::shared_ptr<tree_server> listen(actors::runtime& runtime, tree_service service) {
  std::string problems;
  for (const auto& path : instance_directory::candidates()) {
    try {
      const auto directory = instance_directory::open_or_create(path);
      const auto held = directory.lock();
      if (!directory.make_free(service.name))
        throw std::invalid_argument{"an instance named \"" + service.name
                                    + "\" is running already"};
      const auto socket = directory.socket_path(service.name);
      return tree_server::listen(runtime.io().asio(), socket, std::move(service));
    } catch (const std::runtime_error& error) {
      problems += (problems.empty() ? "" : "; ") + std::string{error.what()};
    }
  }
  std::cerr << "penning: no folder for the socket of \"penning tree\": " << problems << '\n';
  return nullptr;
}

/// The descriptors 0 to 2 exist from here on, so that no other file gets one of these numbers.
void fill_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) < 0)
      std::abort();
}

std::string greeting(const up_options& options, const std::string& name,
                     std::string_view containment) {
  return options.file + " as \"" + name + "\", pid " + std::to_string(::getpid())
         + ", containment: " + std::string{containment};
}

/// Runs the session and tells how it ended. By then nothing calls back any more.
session_end run(actors::runtime& runtime, const std::string& name, session_options options) {
  std::promise<session_end> ended;
  const auto file = options.file;
  options.done = [&ended](session_end end) { ended.set_value(end); };
  auto& io = runtime.io();
  // It starts the tree only when told, so that nothing runs if the name is taken.
  const auto session = runtime.system().spawn<apps::session>(io, std::move(options));
  const auto server = listen(runtime, {name, file, session});
  const auto signals = signal_watch::start(
    io.asio(), [session](int number) { actors::post(session, signal_came{number}); });
  actors::post(session, run_session{});
  const auto end = ended.get_future().get();
  signals->close();
  if (server)
    server->close();
  return end;
}

} // namespace

int run_up(const up_options& options) {
  auto tree = read_tree(options.file);
  fill_standard_descriptors();
  const auto containment = io::contain_program(options.containment);
  std::signal(SIGPIPE, SIG_IGN); // the writer of the log sees EPIPE instead
  actors::runtime runtime{{.io = containment}};
  const auto name = options.name.empty() ? std::to_string(::getpid()) : options.name;
  session_options session{.file = options.file, .format = format_for(options, tree)};
  session.tree = std::move(tree);
  session.greeting = greeting(options, name, runtime.io().containment());
  const auto end = run(runtime, name, std::move(session));
  if (!end.is_complete) // the log's writer may wait for its reader for ever
    std::_Exit(end.status);
  return end.status;
}

} // namespace penning::apps
