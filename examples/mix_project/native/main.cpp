// A rate limiter: Elixir starts one alone, or a supervisor with two of its own.

#include <penning/actors/gen_server.hpp>
#include <penning/bridge/port_main.hpp>
#include <penning/supervision/supervisor.hpp>

using namespace penning;
using actors::atom, actors::field, actors::term, std::chrono::milliseconds, supervision::start_of;
using actors::inspect; // for the messages

struct allow { // `{allow, Key}` in Erlang, answered with `true` or `false`
  static constexpr auto tag = "allow";
  term key;
  auto fields() { return std::tuple{field{"key", key}}; }
};
struct reset { // `{reset, Key}`: it has done nothing yet
  static constexpr auto tag = "reset";
  term key;
  auto fields() { return std::tuple{field{"key", key}}; }
};

/// Allows each key `max` times in a period.
class limiter {
 public:
  using server = actors::gen_server<limiter>;
  using messages = std::tuple<allow, reset>;
  struct next_period {};

  limiter(server& self, int max, milliseconds period) : self_{self}, max_{max}, period_{period} {}

  void init() { handle_info(next_period{}); }
  bool handle_call(const allow& request) { return ++counts_[request.key] <= max_; }
  void handle_cast(const reset& request) { counts_.erase(request.key); }
  void handle_info(next_period) {
    counts_.clear();
    self_.send_after(period_, next_period{});
  }

 private:
  server& self_;
  const int max_;
  const milliseconds period_;
  std::unordered_map<term, std::int64_t> counts_;
};

int main() {
  return bridge::port_main([](actors::runtime&, bridge::port_program& program) {
    program.name = "throttle";
    program.vocabulary.add<allow>().add<reset>();
    program.startable["limiter"] = [](actors::process& parent, const actors::list& arguments) {
      const auto numbers = term{arguments}.as<std::vector<int>>().value(); // [Max, Milliseconds]
      return parent.start_link<limiter::server>(numbers.at(0), milliseconds{numbers.at(1)});
    };
    supervision::supervisor_options tree{.flags = {.intensity = 3}};
    for (const auto& [id, max, ms] : {std::tuple{"login", 5, 60'000}, {"search", 20, 1'000}})
      tree.children.push_back({atom{id}, start_of<limiter::server>(max, milliseconds{ms})});
    program.startable["limiters"] = start_of<supervision::supervisor>(tree);
  });
}
