#include "penningd_fixture.hpp"

namespace penning::test {
namespace {

class OpenReady : public Penningd {
 protected:
  OpenReady() { greet(); }

  /// Asks for a shell that counts as started once `ready` has passed; the Id of its start.
  std::uint64_t start(const std::string& script, const term& ready) {
    peer.send(tuple_of("request"_a, "r"_a,
                       tuple_of("open"_a, "/bin/sh", actors::list_of("-c", script),
                                map_of({{"ready"_a, ready}, {"stdio_window"_a, 1000}}))));
    return std::get<0>(*match(next(), "starting"_a, "r"_a, bind<std::uint64_t>));
  }

  /// What its start came to. Output before is acknowledged.
  struct outcome {
    term result;
    std::string output;
  };
  outcome finish(std::uint64_t id) {
    outcome all;
    for (;;) {
      const auto frame = next();
      if (auto reply = match(frame, "reply"_a, "r"_a, bind<term>)) {
        all.result = std::get<0>(*reply);
        return all;
      }
      if (auto m = match(frame, "message"_a, id, actors::tup("data"_a, bind<std::string>))) {
        all.output += std::get<0>(*m);
        peer.send(tuple_of("ack"_a, id, "data"_a, std::get<0>(*m).size()));
      }
    }
  }

  void send_line(std::uint64_t id) {
    peer.send(tuple_of("send"_a, id, tuple_of("command"_a, "\n")));
  }

  int children() {
    const auto info = request("info"_a);
    return actors::lookup_as<int>(std::get<0>(*match(info, atoms::ok(), bind<term>)), "children")
      .value();
  }
};

term stdout_line(const char* text) {
  return tuple_of("stdout"_a, text);
}

TEST_F(OpenReady, IsAnsweredOnceTheCheckHasPassed) {
  const auto id = start("read go; echo is up; cat", stdout_line("up"));
  EXPECT_TRUE(match(request("info"_a), atoms::ok(), actors::any));
  EXPECT_TRUE(others.empty()) << "not before";
  send_line(id);
  const auto [result, output] = finish(id);
  EXPECT_TRUE(match(result, atoms::ok(), actors::tup(id, bind<pid_t>))) << to_string(result);
  EXPECT_EQ(output, "is up\n");
}

TEST_F(OpenReady, TellsOutputBeforeThatAsItIsAcknowledged) {
  const auto id = start("head -c 200000 /dev/zero; echo; echo up; cat", stdout_line("up"));
  const auto [result, output] = finish(id);
  EXPECT_TRUE(match(result, atoms::ok(), actors::tup(id, bind<pid_t>))) << to_string(result);
  EXPECT_GE(output.size(), 200'000u);
}

TEST_F(OpenReady, FailsWithTheReasonOfAnEarlierEnd) {
  const auto id = start("head -c 100000 /dev/zero; exit 3", stdout_line("up"));
  const auto [result, output] = finish(id);
  EXPECT_EQ(result, tuple_of(atoms::error(), tuple_of("exit_status"_a, 3)));
  EXPECT_EQ(output.size(), 100'000u);
  EXPECT_EQ(children(), 0);
  EXPECT_TRUE(others.empty()) << "the answer is enough: " << to_string(others.front());
}

TEST_F(OpenReady, IsGivenUpOnRequest) {
  const auto id =
    start("trap '' TERM; echo trapped; while :; do sleep 1000; done", stdout_line("up"));
  while (!match(next(), "message"_a, id, tuple_of("data"_a, "trapped\n")))
    continue;
  peer.send(tuple_of("exit"_a, id, atoms::kill()));
  EXPECT_EQ(finish(id).result, tuple_of(atoms::error(), atoms::killed()));
  EXPECT_EQ(children(), 0);
}

TEST_F(OpenReady, TakesEveryKindOfCheck) {
  const auto folder =
    std::filesystem::temp_directory_path() / ("penning-ready-" + std::to_string(peer.pid()));
  std::filesystem::create_directory(folder);
  const auto file = (folder / "up").string();
  for (const term& ready :
       {term{tuple_of("file"_a, file)},
        term{tuple_of("command"_a, "test", actors::list_of("-e", file))},
        term{map_of({{"check"_a, tuple_of("file"_a, file)}, {"interval"_a, 5}})}}) {
    const auto id = start("read go; : > " + file + "; exec cat", ready);
    EXPECT_TRUE(match(request("info"_a), atoms::ok(), actors::any));
    EXPECT_TRUE(others.empty()) << "not before";
    send_line(id);
    EXPECT_TRUE(match(finish(id).result, atoms::ok(), actors::tup(id, bind<pid_t>)));
    peer.send(tuple_of("exit"_a, id, atoms::kill()));
    while (!match(next(), "down"_a, id, atoms::killed()))
      continue;
    std::filesystem::remove(file);
  }
  std::filesystem::remove_all(folder);
}

TEST_F(OpenReady, EndsWithTheBeamWhileItWaits) {
  const auto id = start("echo $$; exec sleep 1000", stdout_line("up"));
  const auto line = next();
  const auto m = match(line, "message"_a, id, actors::tup("data"_a, bind<std::string>));
  ASSERT_TRUE(m) << to_string(line);
  const auto process = io::open_pidfd(std::stoi(std::get<0>(*m)));
  peer.close_stdin();
  EXPECT_TRUE(dies(process, 5000));
  EXPECT_EQ(WEXITSTATUS(peer.wait_status()), 0) << peer.errors;
}

class OpenBadReady : public Penningd, public testing::WithParamInterface<term> {};

TEST_P(OpenBadReady, IsNamedAndNothingIsStarted) {
  greet();
  const auto answer = request(tuple_of("open"_a, "cat", list{}, map_of({{"ready"_a, GetParam()}})));
  const auto refused =
    match(answer, atoms::error(),
          actors::tup("bad_option"_a, bind<actors::atom>, bind<std::string>, bind<std::string>));
  ASSERT_TRUE(refused) << to_string(answer);
  EXPECT_TRUE(std::get<0>(*refused).text().starts_with("ready")) << to_string(answer);
  EXPECT_TRUE(others.empty()) << to_string(others.front());
}

INSTANTIATE_TEST_SUITE_P(
  Each, OpenBadReady,
  testing::Values(term{7}, term{tuple_of("stdout"_a, "")}, term{tuple_of("stdout"_a, 7)},
                  term{tuple_of("tcp"_a, "127.0.0.1", 0)},
                  term{tuple_of("tcp"_a, "127.0.0.1", 70'000)},
                  term{tuple_of("tcp"_a, "no address", 80)}, term{tuple_of("unix"_a, "")},
                  term{tuple_of("unix"_a, std::string(200, 'x'))}, term{tuple_of("file"_a, "")},
                  term{tuple_of("command"_a, "", list{})}, term{tuple_of("command"_a, "true", 7)},
                  term{map_of({{"interval"_a, 5}})},
                  term{map_of({{"check"_a, tuple_of("file"_a, "x")}, {"interval"_a, 0}})},
                  term{map_of({{"check"_a, tuple_of("file"_a, "x")}, {"often"_a, 1}})}));

} // namespace
} // namespace penning::test
