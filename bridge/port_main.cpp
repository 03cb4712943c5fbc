#include <penning/bridge/port_main.hpp>

#include <penning/bridge/beam_port_bridge.hpp>
#include <penning/io/private_descriptor.hpp>
#include <penning/io/subreaper.hpp>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <utility>

namespace penning::bridge {

namespace {

using namespace std::chrono_literals;

constexpr auto end_deadline = 10s;

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
  signals.async_wait(
    [&io, parent, bridge = bridge.address()](const boost::system::error_code& error, int) {
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
  self->receive_while(running)([](const actors::init_ack&) {},
                               [&](const caf::exit_msg& message) {
                                 if (message.source == bridge.address()) {
                                   reason = actors::reason_from(message.reason);
                                   running = false;
                                 }
                               });
  return reason;
}

/// Processes of a BEAM must not keep a runtime from its end, also when `setup` throws.
struct detached_at_end {
  bridge::beam& beam;
  ~detached_at_end() { beam.detach(); }
};

/// The operator's choice, if there is one: the words of `io::containment_choice`.
io::context_options contain() {
  const char* word = std::getenv("PENNING_CONTAINMENT");
  return io::contain_program(word ? io::containment_choice_of(word)
                                  : io::containment_choice::strongest);
}

int serve(const std::function<void(actors::runtime&, port_program&)>& setup) {
  const auto containment = contain(); // first: it may split the process
  auto streams = io::take_protocol_streams();
  std::signal(SIGPIPE, SIG_IGN); // a BEAM that is gone shows as EPIPE
  std::signal(SIGCHLD, SIG_DFL); // ignored, as whoever started us may leave it, children vanish
  actors::runtime runtime{{.io = containment}};
  port_program program; // its actors are given up before the runtime waits for their end
  program.beam = std::make_shared<beam>(runtime.system());
  const detached_at_end beam{*program.beam};
  if (setup)
    setup(runtime, program);

  auto options = std::make_shared<bridge_options>();
  options->program = program.name;
  options->published = program.published;
  options->published_names = std::move(program.published_names);
  options->startable = std::move(program.startable);
  options->beam = program.beam;
  options->vocabulary = std::move(program.vocabulary);
  options->in = std::move(streams.in);
  options->out = std::move(streams.out);
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
