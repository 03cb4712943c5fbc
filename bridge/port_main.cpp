#include <penning/bridge/port_main.hpp>

#include <penning/bridge/beam_port_bridge.hpp>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace penning::bridge {

namespace {

using namespace std::chrono_literals;

constexpr auto end_deadline = 10s;

/// Calls that give a descriptor, or -1 and errno.
int checked(int result, const char* what) {
  if (result < 0)
    throw std::system_error{errno, std::generic_category(), what};
  return result;
}

/// Takes the protocol's descriptors away from 0 and 1, where anybody might read and print.
std::pair<io::unique_fd, io::unique_fd> take_descriptors() {
  io::unique_fd in{checked(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3), "stdin")};
  io::unique_fd out{checked(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), "stdout")};
  io::unique_fd low{checked(::open("/dev/null", O_RDWR | O_CLOEXEC), "/dev/null")};
  io::unique_fd null{checked(::fcntl(low.get(), F_DUPFD_CLOEXEC, 3), "/dev/null")};
  low.reset(); // it may have been descriptor 2
  checked(::dup2(null.get(), STDIN_FILENO), "/dev/null as stdin");
  if (::fcntl(STDERR_FILENO, F_GETFD) < 0)
    checked(::dup2(null.get(), STDERR_FILENO), "/dev/null as stderr");
  checked(::dup2(STDERR_FILENO, STDOUT_FILENO), "stderr as stdout");
  return {std::move(in), std::move(out)};
}

/// Ends the program should its actors not do so in time. The timer belongs to the thread of the
/// context, which no actor can block, and goes with it.
void arm_watchdog(io::context& io) {
  auto timer = std::make_shared<boost::asio::steady_timer>(io.asio(), end_deadline);
  timer->async_wait([timer](const boost::system::error_code& error) {
    if (error)
      return;
    std::fputs("penning: actors did not end in time\n", stderr);
    std::_Exit(EXIT_FAILURE); // the guardian sees to the children
  });
}

/// Has a signal end the bridge as its parent's end would.
void stop_on(boost::asio::signal_set& signals, io::context& io, const caf::actor& bridge,
             const caf::actor_addr& parent) {
  signals.async_wait([&io, parent, bridge = bridge.address()](
                       const boost::system::error_code& error, int) {
    if (error)
      return;
    arm_watchdog(io);
    if (auto running = caf::actor_cast<caf::actor>(bridge))
      actors::send_exit(running, parent, actors::atoms::normal());
  });
}

/// The reason with which the bridge ended.
actors::term wait_for_end(caf::scoped_actor& self, const caf::actor& bridge) {
  actors::term reason;
  bool running = true;
  self->receive_while(running)(
    [](const actors::init_ack&) {},
    [&](const caf::exit_msg& message) {
      if (message.source == bridge.address()) {
        reason = actors::reason_from(message.reason);
        running = false;
      }
    });
  return reason;
}

int serve(const std::function<void(actors::runtime&, port_program&)>& setup) {
  auto [in, out] = take_descriptors();
  std::signal(SIGPIPE, SIG_IGN); // a BEAM that is gone shows as EPIPE
  actors::runtime runtime;
  port_program program; // its actors are given up before the runtime waits for their end
  if (setup)
    setup(runtime, program);

  auto options = std::make_shared<bridge_options>();
  options->program = program.name;
  options->published = program.published;
  options->vocabulary = std::move(program.vocabulary);
  options->in = std::move(in);
  options->out = std::move(out);
  options->on_closed = [&io = runtime.io()] { arm_watchdog(io); };

  caf::scoped_actor self{runtime.system()};
  const auto bridge = actors::start_link<beam_port_bridge>(*self, runtime.io(), options);
  boost::asio::signal_set signals{runtime.io().asio(), SIGTERM, SIGINT};
  stop_on(signals, runtime.io(), bridge, self->address());

  const auto reason = wait_for_end(self, bridge);
  for (auto& [name, actor] : program.published)
    actors::send_exit(actor, {}, actors::atoms::shutdown());
  if (reason == actors::atoms::normal())
    return EXIT_SUCCESS;
  std::fprintf(stderr, "%s: %s\n", program.name.c_str(), to_string(reason).c_str());
  return EXIT_FAILURE;
}

} // namespace

int port_main(const std::function<void(actors::runtime&, port_program&)>& setup) {
  try {
    return serve(setup);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "penning: %s\n", error.what());
    return EXIT_FAILURE;
  }
}

} // namespace penning::bridge
