// A port program with one actor, which sends back what it gets and answers what it is asked.

#include <penning/actors/gen_server.hpp>
#include <penning/bridge/port_main.hpp>

#include <string>
#include <tuple>

namespace {

using namespace penning;
using actors::field;
using actors::inspect;
using actors::term;

struct ping {
  static constexpr auto tag = "ping";
  caf::actor from;
  term bytes;
  auto fields() { return std::tuple{field{"from", from}, field{"bytes", bytes}}; }
};

struct pong {
  static constexpr auto tag = "pong";
  term bytes;
  auto fields() { return std::tuple{field{"bytes", bytes}}; }
};

class echo {
 public:
  using messages = std::tuple<ping>;

  void handle_info(ping message) { actors::post(message.from, pong{std::move(message.bytes)}); }
  term handle_call(term request) { return request; }
};

} // namespace

int main() {
  return bridge::port_main([](actors::runtime& runtime, bridge::port_program& program) {
    program.name = "echo_port";
    program.vocabulary.add<ping>().add<pong>();
    program.published["echo"] = runtime.system().spawn<actors::gen_server<echo>>();
  });
}
