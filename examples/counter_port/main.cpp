// A port program of one's own: it does what penningd does, and offers an actor besides.

#include <penning/bridge/port_main.hpp>

using namespace penning;

/// `{add, Amount}` in Erlang; this is all that a message type needs.
struct add {
  static constexpr auto tag = "add";
  std::int64_t amount = 0;
  auto fields() { return std::tuple{actors::field{"amount", amount}}; }
};
using actors::inspect;

/// Counts; answers each `add` with the sum so far.
class counter : public actors::process {
 public:
  using process::process;

 protected:
  caf::message_handler receive() override {
    return {[this](add message) { return sum_ += message.amount; }};
  }

 private:
  std::int64_t sum_ = 0;
};

int main() {
  return bridge::port_main([](actors::runtime& runtime, bridge::port_program& program) {
    program.name = "counter_port";
    program.vocabulary.add<add>();
    program.published["counter"] = runtime.system().spawn<counter>();
  });
}
