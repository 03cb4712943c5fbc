#include "penningd_fixture.hpp"
#include "support/memory.hpp"

#include <penning/bridge/etf.hpp>
#include <penning/bridge/frame_batch.hpp>
#include <penning/io/context.hpp>

namespace penning::test {
namespace {

// -- the protocol ---------------------------------------------------------------------------------

TEST_F(Penningd, GreetsWithItsVersionAndContainment) {
  greet();
  const auto m = match(hello, "hello"_a, 1, bind<actors::map>);
  ASSERT_TRUE(m) << to_string(hello);
  const term info = std::get<0>(*m);
  EXPECT_EQ(actors::lookup_as<std::int64_t>(info, "os_pid"), peer.pid());
  EXPECT_EQ(actors::lookup_as<std::string>(info, "program"), "penningd");
  EXPECT_EQ(actors::lookup_as<std::string>(info, "containment"), io::context{}.containment());
}

struct chosen_containment : testing::WithParamInterface<std::pair<const char*, const char*>> {
  chosen_containment() { ::setenv("PENNING_CONTAINMENT", GetParam().first, 1); }
  ~chosen_containment() { ::unsetenv("PENNING_CONTAINMENT"); }
};
class PenningdContainment : public chosen_containment, public Penningd {};

TEST_P(PenningdContainment, IsWhatTheOperatorHasChosen) {
  if (::getuid() != 0 && std::string{GetParam().first}.starts_with("cgroup"))
    GTEST_SKIP() << "only root may make control groups here";
  greet();
  const auto m = match(hello, "hello"_a, 1, bind<actors::map>);
  ASSERT_TRUE(m) << to_string(hello);
  EXPECT_EQ(actors::lookup_as<std::string>(std::get<0>(*m), "containment"), GetParam().second);
}

INSTANTIATE_TEST_SUITE_P(
  Each, PenningdContainment,
  testing::Values(std::pair{"cgroup_v2", "cgroup v2"}, std::pair{"cgroup_v1", "cgroup v1"},
                  std::pair{"subreaper", "subreaper"},
                  std::pair{"process_group", "process group with guardian"}));

TEST_F(Penningd, WantsToBeGreetedFirstAndOnce) {
  peer.send(tuple_of("request"_a, 1, "info"_a));
  EXPECT_TRUE(match(peer.receive().value(), "error"_a, "not_greeted"_a, actors::any));
  greet();
  peer.send(tuple_of("hello"_a, 1, map_of({})));
  EXPECT_TRUE(match(peer.receive().value(), "error"_a, "already_greeted"_a, actors::any));
}

TEST_F(Penningd, EndsWithAReasonWhenAVersionFromTheFutureIsSpoken) {
  peer.send(tuple_of("hello"_a, 2, map_of({})));
  EXPECT_TRUE(match(peer.receive().value(), "error"_a, "bad_version"_a,
                    actors::tup("hello"_a, 1, actors::any)));
  EXPECT_EQ(WEXITSTATUS(peer.wait_status()), 1);
  EXPECT_THAT(peer.errors, testing::HasSubstr("version 2"));
}

TEST_F(Penningd, AnswersWhatItDoesNotUnderstandAndGoesOn) {
  greet();
  auto cat = open("cat");
  peer.send_frame({1, 2, 3});
  EXPECT_TRUE(match(peer.receive().value(), "error"_a, "bad_term"_a, actors::any));
  peer.send_frame({});
  EXPECT_TRUE(match(peer.receive().value(), "error"_a, "bad_term"_a, actors::any));
  peer.send("nonsense"_a);
  EXPECT_TRUE(match(peer.receive().value(), "error"_a, "bad_frame"_a, "nonsense"_a));
  EXPECT_TRUE(
    match(request("nonsense"_a), atoms::error(), tuple_of("bad_request"_a, "nonsense"_a)));
  send(cat, tuple_of("nonsense"_a, 1));
  EXPECT_TRUE(match(peer.receive().value(), "error"_a, "bad_request"_a, actors::any));
  send(cat, tuple_of("command"_a, "still there"));
  EXPECT_EQ(next_message(cat), tuple_of("written"_a, 11));
  EXPECT_EQ(next_message(cat), tuple_of("data"_a, "still there"));
}

TEST_F(Penningd, TellsWhoAskedWhatItCouldNotRead) {
  greet();
  // {request, 7, [[[...]]]}, and one that is cut off.
  std::vector<char> deep{'\x83', 'h', 3, 'w', 7, 'r', 'e', 'q', 'u', 'e', 's', 't', 'a', 7};
  auto cut = deep;
  for (int i = 0; i < 5000; ++i)
    deep.insert(deep.end(), {'l', 0, 0, 0, 1});
  deep.insert(deep.end(), 5001, 'j');
  for (const auto& frame : {deep, cut}) {
    peer.send_frame(frame);
    EXPECT_TRUE(match(receive(), "reply"_a, 7,
                      actors::tup(atoms::error(), actors::tup("bad_term"_a, actors::any))));
  }
}

TEST_F(Penningd, PutsPiecesTogether) {
  greet();
  const auto encoded = bridge::etf::encode(tuple_of("request"_a, 1, "info"_a));
  const std::span<const char> bytes{encoded};
  const auto piece = [](char last, std::span<const char> part) {
    std::vector<char> frame{last, 0, 0, 0, 9};
    frame.insert(frame.end(), part.begin(), part.end());
    return frame;
  };
  peer.send_frame(piece(0, bytes.first(10)));
  EXPECT_TRUE(match(request("info"_a), atoms::ok(), bind<term>)) << "others come between";
  peer.send_frame(piece(1, bytes.subspan(10)));
  EXPECT_TRUE(match(receive(), "reply"_a, 1, actors::tup(atoms::ok(), actors::any)));
}

std::vector<char> request_bytes(int ref, const term& body) {
  return bridge::etf::encode(tuple_of("request"_a, ref, body));
}

TEST_F(Penningd, ReadsSeveralFramesInOnePacket) {
  greet();
  bridge::frame_batch batch;
  batch.add(request_bytes(1, "info"_a));
  batch.add(std::vector<char>{'\2', 0, 0, 0, 0}); // neither a batch
  batch.add(std::vector<char>{'\1', 0, 0, 0, 9}); // nor a piece
  batch.add(request_bytes(2, "info"_a));
  auto packet = batch.take();
  packet.insert(packet.end(), {0, 0, 0, 9, '\x83'});
  peer.send_frame(packet);
  EXPECT_TRUE(match(receive(), "reply"_a, 1, actors::tup(atoms::ok(), actors::any)));
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(match(receive(), "error"_a, "bad_term"_a, actors::any));
  EXPECT_TRUE(match(receive(), "reply"_a, 2, actors::tup(atoms::ok(), actors::any)));
  EXPECT_EQ(receive(), tuple_of("error"_a, "bad_term"_a, "a packet that ends within a frame"));
}

TEST_F(Penningd, WritesSeveralFramesInOnePacketIfAskedTo) {
  peer.send(tuple_of("hello"_a, 1, map_of({{"batches"_a, true}})));
  hello = receive();
  bridge::frame_batch batch;
  for (int ref = 1; ref <= 3; ++ref)
    batch.add(request_bytes(ref, tuple_of("whereis"_a, "nobody")));
  peer.send_frame(batch.take());
  const auto packet = peer.receive_frame();
  ASSERT_TRUE(packet && bridge::is_batch(*packet));
  bridge::batch_reader frames{*packet};
  for (int ref = 1; ref <= 3; ++ref) {
    const auto frame = frames.next();
    ASSERT_TRUE(frame);
    EXPECT_EQ(bridge::etf::decode(*frame).value,
              tuple_of("reply"_a, ref, tuple_of(atoms::error(), "not_found"_a)));
  }
  EXPECT_FALSE(frames.next() || frames.is_cut());
}

TEST_F(Penningd, TellsAStrangersProxyThatThereIsNoSuchActor) {
  greet();
  const actors::pid somebody{actors::atom{"nonode@nohost"}, 5, 0, 0};
  peer.send(tuple_of("proxy"_a, 77, somebody));
  EXPECT_EQ(receive(), tuple_of("down"_a, 77, atoms::noproc()));
  peer.send(tuple_of("gone"_a, somebody, "why"_a));
  peer.send(tuple_of("reply"_a, tuple_of(somebody, 1), tuple_of(atoms::ok(), 1)));
  peer.send(tuple_of("exit"_a, 77, somebody, "why"_a));
  peer.send(tuple_of("cast"_a, 77, "hello"_a));
  EXPECT_EQ(request(tuple_of("start"_a, "nothing", list{})),
            tuple_of(atoms::error(), "not_found"_a));
}

TEST_F(Penningd, AnswersEachRequestToAProcessThatEndsMeanwhile) {
  greet();
  int ref = 1'000'000;
  for (int round = 0; round < 20; ++round) {
    const auto child = open("cat");
    int due = 0;
    const auto ask = [&] {
      bridge::frame_batch batch;
      for (int i = 0; i < 50; ++i, ++due)
        batch.add(request_bytes(++ref, tuple_of("call"_a, child.id, "info"_a)));
      peer.send_frame(batch.take());
    };
    ask();
    peer.send(tuple_of("exit"_a, child.id, atoms::kill()));
    for (bool ended = false; !ended || due > 0;) {
      if (!ended && due < 200)
        ask();
      const auto frame = receive();
      ended |= match(frame, "down"_a, child.id, actors::any).has_value();
      due -= match(frame, "reply"_a, actors::any, actors::any).has_value() ? 1 : 0;
    }
  }
}

TEST_F(Penningd, IgnoresWhatIsSentToTheDead) {
  greet();
  auto child = open("true");
  EXPECT_EQ(collect(child).reason, atoms::normal());
  send(child, tuple_of("command"_a, "x"));
  peer.send(tuple_of("ack"_a, child.id, "data"_a, 1));
  peer.send(tuple_of("exit"_a, child.id, atoms::kill()));
  EXPECT_EQ(request(tuple_of("call"_a, child.id, "os_pid"_a)),
            tuple_of(atoms::error(), atoms::noproc()));
  EXPECT_EQ(request(tuple_of("call"_a, child.id, "x"_a)),
            tuple_of(atoms::error(), atoms::noproc()));
  EXPECT_EQ(request(tuple_of("whereis"_a, "nobody")), tuple_of(atoms::error(), "not_found"_a));
}

struct bad_option_case {
  term program, args, options;
  std::string option, value;
};

class PenningdBadOption : public Penningd, public testing::WithParamInterface<bad_option_case> {};

TEST_P(PenningdBadOption, IsNamedAndNothingIsStarted) {
  const auto& [program, args, options, option, value] = GetParam();
  greet();
  const auto answer = request(tuple_of("open"_a, program, args, options));
  EXPECT_TRUE(match(answer, atoms::error(),
                    actors::tup("bad_option"_a, actors::atom{option}, value, actors::any)))
    << to_string(answer);
  const auto info = request("info"_a);
  EXPECT_EQ(actors::lookup_as<int>(std::get<0>(*match(info, atoms::ok(), bind<term>)), "children"),
            0);
}

const term no_options = map_of({});

INSTANTIATE_TEST_SUITE_P(
  Each, PenningdBadOption,
  testing::Values(
    bad_option_case{"", list{}, no_options, "program", ""},
    bad_option_case{7, list{}, no_options, "program", "7"},
    bad_option_case{"cat", 7, no_options, "args", "7"},
    bad_option_case{"cat", actors::list_of(std::string{"a\0b", 3}), no_options, "args",
                    std::string{"a\0b", 3}},
    bad_option_case{"cat", list{}, 7, "options", "7"},
    bad_option_case{"cat", list{}, map_of({{"foo"_a, 1}}), "foo", "1"},
    bad_option_case{"cat", list{}, map_of({{"cd"_a, "/nosuch"}}), "cd", "/nosuch"},
    bad_option_case{"cat", list{}, map_of({{"uid"_a, "no-such-user"}}), "uid", "no-such-user"},
    bad_option_case{"cat", list{}, map_of({{"pty"_a, map_of({{"rows"_a, -1}})}}), "pty.rows", "-1"},
    bad_option_case{"cat", list{}, map_of({{"stdio_window"_a, -1}}), "stdio_window", "-1"},
    bad_option_case{"cat", list{}, map_of({{"stdio_window"_a, 0}}), "stdio_window", "0"},
    bad_option_case{"cat", list{}, map_of({{"delay_to_sigkill"_a, -5}}), "delay_to_sigkill", "-5"},
    bad_option_case{"cat", list{}, map_of({{"delay_to_sigkill"_a, "x"}}), "delay_to_sigkill",
                    "<<\"x\">>"},
    bad_option_case{"cat", list{}, map_of({{"env"_a, actors::list_of(tuple_of("A=B", "C"))}}),
                    "env", "A=B"}));

TEST_F(Penningd, TellsTheErrnoOfWhatCannotBeStarted) {
  greet();
  const auto errno_of = [this](const char* path) {
    const auto answer = request(tuple_of("open"_a, path, list{}, map_of({})));
    const auto m =
      match(answer, atoms::error(), actors::tup(bind<actors::atom>, bind<std::string>));
    return m ? std::string{std::get<0>(*m).text()} : to_string(answer);
  };
  EXPECT_EQ(errno_of("/nosuch/program"), "enoent");
  EXPECT_EQ(errno_of("no-such-program-anywhere"), "enoent");
  EXPECT_EQ(errno_of("/etc/passwd"), "eacces");
}

// -- children -------------------------------------------------------------------------------------

TEST_F(Penningd, TellsHowEachChildEnded) {
  greet();
  const auto run = [this](const std::string& script) {
    return collect(open("sh", {"-c", script}));
  };
  EXPECT_EQ(run("exit 0").reason, atoms::normal());
  EXPECT_EQ(run("exit 137").how, tuple_of("status"_a, 137));
  EXPECT_EQ(run("exit 137").reason, tuple_of("exit_status"_a, 137));
  EXPECT_EQ(run("kill -9 $$").how, tuple_of("signal"_a, 9, false));
  EXPECT_EQ(run("kill -9 $$").reason, tuple_of("signal"_a, 9));
  const auto both = run("echo out; echo err >&2; exit 3");
  EXPECT_EQ(both.data, "out\n");
  EXPECT_EQ(both.error, "err\n");
}

TEST_F(Penningd, ClosesStdinAloneWhileOutputGoesOn) {
  greet();
  auto child = open("sh", {"-c", "cat >/dev/null; echo done"});
  send(child, tuple_of("command"_a, actors::list_of("io", 'd' + 0, actors::list_of("ata"))));
  send(child, "close_stdin"_a);
  const auto all = collect(child);
  EXPECT_EQ(all.data, "done\n");
  EXPECT_EQ(all.reason, atoms::normal());
}

TEST_F(Penningd, AnswersCloseBeforeTheEnd) {
  greet();
  auto child = open("sleep", {"1000"});
  send(child, "close"_a);
  EXPECT_EQ(next_message(child), "closed"_a);
  EXPECT_TRUE(match(next_message(child), "exited"_a, child.pid, tuple_of("signal"_a, 15, false),
                    actors::any));
  EXPECT_EQ(next(), tuple_of("down"_a, child.id, atoms::shutdown()));
}

TEST_F(Penningd, KillsOnRequestWhatIgnoresSigterm) {
  greet();
  auto child = open(program("ignores_sigterm"));
  peer.send(tuple_of("exit"_a, child.id, atoms::kill()));
  const auto all = collect(child);
  EXPECT_EQ(all.how, tuple_of("signal"_a, 9, false));
  EXPECT_EQ(all.reason, atoms::killed());
}

TEST_F(Penningd, LetsAChildThatNeverReadsDisturbNobody) {
  greet();
  auto stuck = open(program("never_reads"));
  for (int i = 0; i < 64; ++i)
    send(stuck, tuple_of("command"_a, std::string(65'536, 'x')));
  auto other = open("cat");
  send(other, tuple_of("command"_a, "hello"));
  for (bool answered = false; !answered;) {
    const auto frame = next();
    answered = frame == tuple_of("message"_a, other.id, tuple_of("data"_a, "hello"));
  }
  send(stuck, "close"_a);
}

TEST_F(Penningd, KeepsAFloodWithinTheWindowAndLosesNoByte) {
  constexpr std::size_t total = 64 << 20, window = 65'536;
  greet();
  collect(open("true")); // what is allocated once is there now
  const auto before = memory("VmHWM");
  auto child = open("sh", {"-c", "yes 0123456789abcde | head -c " + std::to_string(total)});
  std::size_t received = 0, held = 0;
  for (;;) {
    const auto message = next_message(child);
    const auto m = match(message, "data"_a, bind<std::string>);
    if (!m)
      break;
    const auto& bytes = std::get<0>(*m);
    for (std::size_t i = 0; i < bytes.size(); ++i)
      ASSERT_EQ(bytes[i], "0123456789abcde\n"[(received + i) % 16]) << "at " << received + i;
    received += bytes.size();
    held += bytes.size();
    if (held >= window / 2) // a slow owner: it acknowledges late, and much at once
      peer.send(tuple_of("ack"_a, child.id, "data"_a, std::exchange(held, 0)));
  }
  EXPECT_EQ(received, total);
  if (memory_is_ours) {
    EXPECT_LT(memory("VmHWM"), before + 8 * 1024) << "KiB";
  }
}

TEST_F(Penningd, HoldsBackWhatTheOwnerDoesNotAcknowledge) {
  greet();
  auto child = open("sh", {"-c", "head -c 1000000 /dev/zero; echo -n end >&2"},
                    map_of({{"stdio_window"_a, 1000}}));
  std::size_t received = 0;
  while (received < 1000)
    received += std::get<0>(*match(next_message(child), "data"_a, bind<std::string>)).size();
  EXPECT_EQ(received, 1000u);
  // then nothing more comes: the next frame answers a later request
  EXPECT_TRUE(match(request("info"_a), atoms::ok(), actors::any));
  EXPECT_TRUE(others.empty()) << to_string(others.front());
}

TEST_F(Penningd, LeavesNothingOfTenThousandShortChildren) {
  greet();
  const auto run = [this](int count) {
    for (int i = 0; i < count; ++i)
      ASSERT_EQ(collect(open("/bin/true")).reason, atoms::normal());
  };
  run(500);
  const auto descriptors_before = descriptors();
  const auto memory_before = memory("VmRSS");
  run(PENNING_TEST_SHORT_CHILDREN);
  EXPECT_EQ(descriptors(), descriptors_before);
  if (memory_is_ours) {
    EXPECT_LT(memory("VmRSS"), memory_before + 512) << "KiB";
  }
  EXPECT_EQ(children_of(peer.pid()), 1u) << "the guardian, and no zombie";
}

TEST_F(Penningd, DeliversWhatAKilledChildHadWrittenBeforeItsEnd) {
  greet();
  auto child = open("sh", {"-c", "head -c 3000 /dev/zero; echo -n . >&2; exec sleep 1000"},
                    map_of({{"stdio_window"_a, 1000}}));
  while (!match(next_message(child), "error"_a, ".")) // then all 3000 stand in the pipe
    continue;
  peer.send(tuple_of("exit"_a, child.id, atoms::kill()));
  peer.send(tuple_of("ack"_a, child.id, "data"_a, 1000));
  const auto rest = collect(child);
  EXPECT_EQ(rest.data.size(), 2000u);
  EXPECT_EQ(rest.how, tuple_of("signal"_a, 9, false));
  EXPECT_EQ(rest.reason, atoms::killed());
}

TEST_F(Penningd, RefusesInputBeyondItsLimit) {
  greet();
  auto stuck = open(program("never_reads"), {},
                    map_of({{"stdin_window"_a, 4 << 20}, {"stdin_limit"_a, 2 << 20}}));
  EXPECT_EQ(next_message(stuck), tuple_of("data"_a, "ready\n"));
  const std::string mebibyte(1 << 20, 'x');
  send(stuck, tuple_of("command"_a, mebibyte + mebibyte)); // a single one is taken whole
  send(stuck, tuple_of("command"_a, mebibyte));
  send(stuck, tuple_of("command"_a, mebibyte + mebibyte));
  EXPECT_EQ(next_message(stuck), tuple_of("stdin_refused"_a, 2 << 20, "eagain"_a));
}

TEST_F(Penningd, TellsThatStdinIsBusyAndReadyAgain) {
  greet();
  auto child = open("cat", {}, map_of({{"stdin_window"_a, 10}, {"stdout"_a, "null"_a}}));
  send(child, tuple_of("command"_a, "12345678901"));
  EXPECT_EQ(next_message(child), tuple_of("stdin_busy"_a, 11));
  EXPECT_EQ(next_message(child), tuple_of("written"_a, 11));
  EXPECT_EQ(next_message(child), "stdin_ready"_a);
}

TEST_F(Penningd, TellsThatStdinIsReadNoMore) {
  greet();
  auto child =
    open("sh", {"-c", "exec 0<&-; echo closed; exec sleep 1000"}, map_of({{"stdin_window"_a, 10}}));
  EXPECT_EQ(next_message(child), tuple_of("data"_a, "closed\n"));
  send(child, tuple_of("command"_a, "12345678901"));
  EXPECT_EQ(next_message(child), tuple_of("stdin_busy"_a, 11));
  EXPECT_EQ(next_message(child), tuple_of("stdin_refused"_a, 11, "epipe"_a));
  EXPECT_EQ(next_message(child), tuple_of("stdin_closed"_a, "epipe"_a));
}

TEST_F(Penningd, DeliversLinesAndCountsEachAsOneMoreThanItsBytes) {
  greet();
  auto child = open("printf", {"a\n\nbcd"},
                    map_of({{"stdout_delivery"_a, "lines"_a}, {"stdout_window"_a, 65'537}}));
  const auto line = [](actors::atom how, const char* text) {
    return tuple_of("data"_a, tuple_of(how, text));
  };
  EXPECT_EQ(next_message(child), line("eol"_a, "a"));
  EXPECT_EQ(next_message(child), line("eol"_a, ""));
  EXPECT_EQ(next_message(child), line("noeol"_a, "bcd"));
  EXPECT_EQ(
    std::get<0>(*match(next_message(child), "exited"_a, actors::any, bind<term>, actors::any)),
    tuple_of("status"_a, 0));
}

TEST_F(Penningd, GivesCreditForLinesAsTheyAreAcknowledged) {
  greet();
  auto child = open("sh", {"-c", "yes '' | head -n 1000"},
                    list_of(tuple_of("stdout_delivery"_a, list_of(tuple_of("max_length"_a, 2))),
                            tuple_of("stdout_window"_a, 3)));
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(next_message(child), tuple_of("data"_a, tuple_of("eol"_a, ""))) << i;
    peer.send(tuple_of("ack"_a, child.id, "data"_a, 1));
  }
}

TEST_F(Penningd, AnswersHowAProcessIs) {
  greet();
  auto child = open("cat");
  send(child, tuple_of("command"_a, "hello"));
  while (next_message(child) != tuple_of("data"_a, "hello")) // `written` may come before
    continue;
  const auto answer = request(tuple_of("call"_a, child.id, "info"_a));
  const auto info = std::get<0>(*match(answer, atoms::ok(), bind<term>));
  EXPECT_EQ(actors::lookup_as<std::int64_t>(info, "os_pid"), child.pid);
  EXPECT_EQ(actors::lookup_as<std::int64_t>(info, "stdin_bytes"), 5);
  EXPECT_EQ(actors::lookup_as<std::int64_t>(info, "stdout_bytes"), 5);
  EXPECT_EQ(request(tuple_of("call"_a, child.id, "os_pid"_a)), tuple_of(atoms::ok(), child.pid));
  const auto other = tuple_of("call"_a, child.id, "pardon"_a);
  EXPECT_EQ(request(other), tuple_of(atoms::error(), tuple_of("bad_request"_a, "pardon"_a)));
}

TEST_F(Penningd, SendsSignalsAndSizesOnRequestOrNot) {
  greet();
  const char* script = "trap 'echo hup' HUP; trap 'stty size' WINCH; echo up;"
                       "while :; do sleep 0.01; done";
  auto child = open("sh", {"-c", script},
                    map_of({{"pty"_a, map_of({{"modes"_a, map_of({{"opost"_a, false}})}})}}));
  EXPECT_EQ(next_message(child), tuple_of("data"_a, "up\n"));
  const auto call = [&](const term& what) { return request(tuple_of("call"_a, child.id, what)); };
  EXPECT_EQ(call(tuple_of("signal"_a, "HUP"_a)), tuple_of(atoms::ok(), "ok"_a));
  EXPECT_EQ(next_message(child), tuple_of("data"_a, "hup\n"));
  send(child, tuple_of("signal"_a, 1));
  EXPECT_EQ(next_message(child), tuple_of("data"_a, "hup\n"));
  EXPECT_EQ(call(tuple_of("signal"_a, 77)), tuple_of(atoms::error(), tuple_of("bad_signal"_a, 77)));
  EXPECT_EQ(call(tuple_of("window_size"_a, 3, 4)), tuple_of(atoms::ok(), "ok"_a));
  EXPECT_EQ(next_message(child), tuple_of("data"_a, "3 4\n"));
}

TEST_F(Penningd, AdoptsAProcessAndEndsIt) {
  greet();
  auto child = open("sleep", {"1000"}); // anything may be adopted
  const auto answer = request(tuple_of("adopt"_a, child.pid, map_of({{"stop_signal"_a, "KILL"}})));
  const auto m = match(answer, "ok"_a, actors::tup(bind<std::uint64_t>, child.pid));
  ASSERT_TRUE(m) << to_string(answer);
  const opened adopted{std::get<0>(*m), child.pid};
  send(adopted, "close"_a);
  term how_adopted, reason;
  while (reason == term{}) {
    const auto frame = receive(); // among what its first owner hears
    if (auto exited = match(frame, "message"_a, adopted.id,
                            actors::tup("exited"_a, child.pid, bind<term>, actors::any)))
      how_adopted = std::get<0>(*exited);
    if (auto down = match(frame, "down"_a, adopted.id, bind<term>))
      reason = std::get<0>(*down);
  }
  EXPECT_EQ(reason, atoms::shutdown());
  EXPECT_TRUE(match(how_adopted, "signal"_a, bind<int>, false)) << to_string(how_adopted);
  EXPECT_EQ(request(tuple_of("adopt"_a, 0, map_of({}))),
            tuple_of(atoms::error(),
                     tuple_of("bad_option"_a, "os_pid"_a, "0", "must be that of another process")));
}

// -- C++ actors -----------------------------------------------------------------------------------

class CounterPort : public Penningd {
 protected:
  CounterPort() : Penningd{PENNING_TEST_COUNTER_PORT} { greet(); }

  std::uint64_t counter() {
    return std::get<0>(
      *match(request(tuple_of("whereis"_a, "counter")), atoms::ok(), bind<std::uint64_t>));
  }
};

TEST_F(CounterPort, AnswersCallsInTheTypesOfItsActor) {
  const auto id = counter();
  EXPECT_EQ(request(tuple_of("whereis"_a, "counter"_a)), tuple_of(atoms::ok(), id))
    << "a name is a binary or an atom";
  EXPECT_EQ(request(tuple_of("call"_a, id, tuple_of("add"_a, 3))), tuple_of(atoms::ok(), 3));
  peer.send(tuple_of("send"_a, id, tuple_of("add"_a, 4))); // nobody gets the answer
  EXPECT_EQ(request(tuple_of("call"_a, id, tuple_of("add"_a, 5))), tuple_of(atoms::ok(), 12));
  EXPECT_TRUE(others.empty());
}

TEST_F(CounterPort, TellsWhenAnActorDoesNotUnderstand) {
  const auto answer = request(tuple_of("call"_a, counter(), "nonsense"_a));
  EXPECT_TRUE(match(answer, atoms::error(), bind<term>)) << to_string(answer);
}

TEST_F(CounterPort, TellsTheEndOfItsActorOnceAndThenDoesNotFindIt) {
  const auto id = counter();
  peer.send(tuple_of("exit"_a, id, "enough"_a));
  EXPECT_EQ(next(), tuple_of("down"_a, id, "enough"_a));
  EXPECT_EQ(request(tuple_of("call"_a, id, tuple_of("add"_a, 3))),
            tuple_of(atoms::error(), atoms::noproc()));
  EXPECT_EQ(request(tuple_of("whereis"_a, "counter")), tuple_of(atoms::error(), "not_found"_a));
}

// -- the end --------------------------------------------------------------------------------------

class PenningdEnd : public Penningd {
 protected:
  /// A child that ignores SIGTERM with a grandchild in its group that does so too; both held.
  std::vector<io::unique_fd> family() {
    auto child = open("sh", {"-c", "trap '' TERM; sleep 1000 & echo $!; while :; do wait; done"});
    const auto text = std::get<0>(*match(next_message(child), "data"_a, bind<std::string>));
    std::vector<io::unique_fd> result;
    result.push_back(io::open_pidfd(child.pid));
    result.push_back(io::open_pidfd(std::stoi(text)));
    for (const auto& process : result)
      EXPECT_TRUE(process && !dies(process, 0));
    return result;
  }

  static void expect_gone(const std::vector<io::unique_fd>& processes) {
    for (const auto& process : processes)
      EXPECT_TRUE(dies(process, 1000));
  }
};

TEST_F(PenningdEnd, FollowsTheEndOfItsStdin) {
  greet();
  const auto processes = family();
  peer.close_stdin();
  expect_gone(processes);
  const int status = peer.wait_status();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << peer.errors;
}

TEST_F(PenningdEnd, BySigtermIsOrderly) {
  greet();
  const auto processes = family();
  ::kill(peer.pid(), SIGTERM);
  expect_gone(processes);
  const int status = peer.wait_status();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << peer.errors;
}

TEST_F(PenningdEnd, BySigkillLeavesNoChild) {
  greet();
  const auto processes = family();
  ::kill(peer.pid(), SIGKILL);
  expect_gone(processes);
}

TEST_F(PenningdEnd, ComesWithAReasonWhenAFrameIsCut) {
  greet();
  const auto processes = family();
  peer.send_raw({0, 0, 0, 9, 'c', 'u', 't'});
  peer.close_stdin();
  expect_gone(processes);
  const int status = peer.wait_status();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1);
  EXPECT_NE(peer.errors, "");
}

TEST_F(PenningdEnd, ComesWithAReasonWhenALengthIsImpossible) {
  greet();
  const auto processes = family();
  peer.send_raw({'\x7f', '\xff', '\xff', '\xff'});
  expect_gone(processes);
  const int status = peer.wait_status();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1);
  EXPECT_THAT(peer.errors, testing::HasSubstr("2147483647"));
}

} // namespace
} // namespace penning::test
