// No lost byte, promise 2: a child writes to stdout and stderr in turn and exits at once with 3;
// all of it must arrive, and then `exited 3`, whatever the window. Once through actors, in this
// process, and once through penningd, whose peer acknowledges as it reads.
//
//   no_lost_byte [--rounds N]
//
// Prints its counts; exits with 1 unless each round was whole.
#include "support/port_peer.hpp"

#include <penning/actors/run.hpp>
#include <penning/actors/runtime.hpp>
#include <penning/io/context.hpp>

#include <csignal>
#include <iostream>
#include <string>

namespace {

using namespace penning;
using namespace penning::actors::literals;
using actors::bind;
using actors::match;
using actors::term;
using actors::tuple_of;

constexpr auto program = PENNING_TEST_PROGRAMS "/writes_both";

struct setting {
  std::size_t bytes, window;
};
constexpr setting settings[] = {{1UL << 20, 10UL << 10}, {1UL << 20, 1UL << 20}, {64UL << 10, 16}};

/// What a child wrote, and how it ended.
struct seen {
  std::string out, err;
  term how;

  bool is_whole(std::size_t bytes) const {
    return out == std::string(bytes, 'o') && err == std::string(bytes, 'e')
           && how == tuple_of("status"_a, 3);
  }
};

class through_actors {
 public:
  seen run(const setting& how) {
    actors::os_process_options options;
    options.program = program;
    options.args = {std::to_string(how.bytes), "3"};
    options.stdio_window = how.window;
    caf::scoped_actor self{system_};
    const auto result = actors::run(self, io_, options);
    const bool is_status = result.how.how == io::exit_status::kind::status;
    return {{result.out.begin(), result.out.end()},
            {result.err.begin(), result.err.end()},
            tuple_of(is_status ? "status"_a : "signal"_a, result.how.code)};
  }

 private:
  io::context io_;
  actors::system_config config_;
  caf::actor_system system_{config_};
};

class through_the_port {
 public:
  through_the_port() {
    peer_.send(tuple_of("hello"_a, 1, actors::map{}));
    receive();
  }

  seen run(const setting& how) {
    const auto arguments = actors::list_of(std::to_string(how.bytes), "3");
    const auto options = actors::map_of({{"stdio_window"_a, how.window}});
    peer_.send(tuple_of("request"_a, 1, tuple_of("open"_a, program, arguments, options)));
    const auto opened = receive();
    const auto id = match(opened, "reply"_a, 1,
                          actors::tup("ok"_a, actors::tup(bind<std::uint64_t>, actors::any)));
    if (!id)
      throw std::runtime_error{to_string(opened)};
    seen result;
    while (take(std::get<0>(*id), result))
      continue;
    return result;
  }

 private:
  term receive() {
    auto frame = peer_.receive();
    if (!frame)
      throw std::runtime_error{"penningd has ended"};
    return *std::move(frame);
  }

  /// Whether more may come. What comes after the end counts as lost.
  bool take(std::uint64_t id, seen& into) {
    const auto frame = receive();
    if (match(frame, "down"_a, id, actors::any))
      return false;
    for (auto [name, text] : {std::pair{"data"_a, &into.out}, std::pair{"error"_a, &into.err}})
      if (auto m = match(frame, "message"_a, id, actors::tup(name, bind<std::string>))) {
        if (into.how == term{})
          *text += std::get<0>(*m);
        peer_.send(tuple_of("ack"_a, id, name, std::get<0>(*m).size()));
      }
    if (auto m = match(frame, "message"_a, id,
                       actors::tup("exited"_a, actors::any, bind<term>, actors::any)))
      into.how = std::get<0>(*m);
    return true;
  }

  test::port_peer peer_{PENNING_TEST_PENNINGD};
};

template <class Way>
bool all_are_whole(const char* name, unsigned rounds) {
  Way way;
  bool result = true;
  for (const auto& how : settings) {
    unsigned whole = 0;
    for (unsigned i = 0; i < rounds; ++i)
      whole += way.run(how).is_whole(how.bytes) ? 1 : 0;
    std::cout << name << ", " << how.bytes << " bytes of each, window " << how.window << ": "
              << whole << " of " << rounds << " whole" << std::endl;
    result = result && whole == rounds;
  }
  return result;
}

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    unsigned rounds = 20;
    if (argc == 3 && std::string{argv[1]} == "--rounds")
      rounds = static_cast<unsigned>(std::stoul(argv[2]));
    if (rounds == 0)
      throw std::invalid_argument{"--rounds 0 shows nothing"};
    const bool actors_are_whole = all_are_whole<through_actors>("actors", rounds);
    const bool port_is_whole = all_are_whole<through_the_port>("penningd", rounds);
    return actors_are_whole && port_is_whole ? 0 : 1;
  } catch (const std::exception& error) {
    std::cout << "failed: " << error.what() << std::endl;
    return 1;
  }
}
