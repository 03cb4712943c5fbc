#include "supervise_fixture.hpp"

namespace penning::test {
namespace {

// -- the start ------------------------------------------------------------------------------------

TEST_F(Supervise, AnnouncesEachChildInOrderAndAnswersOnceAllAreUp) {
  peer.send(tuple_of("request"_a, "r"_a,
                     tuple_of("supervise"_a, patient, list_of(sleeper("a"_a), sleeper("b"_a)))));
  const auto [id] = *match(next(), "starting"_a, "r"_a, bind<std::uint64_t>);
  EXPECT_TRUE(match(next(), "message"_a, id, tup("child"_a, "a"_a, bind<std::uint64_t>)));
  EXPECT_TRUE(match(next(), "message"_a, id, tup("child"_a, "b"_a, bind<std::uint64_t>)));
  EXPECT_EQ(next(), tuple_of("reply"_a, "r"_a, tuple_of(atoms::ok(), id)));
}

TEST_F(Supervise, NeedsNoChildren) {
  const auto supervisor = supervise(list{});
  EXPECT_EQ(result(supervisor, "which_children"_a), list{});
  exit(supervisor, atoms::shutdown());
  skip_to("down"_a, supervisor, atoms::shutdown());
}

TEST_F(Supervise, AnswersAFailedStartOnceAllIsGone) {
  const auto answer = request(tuple_of(
    "supervise"_a, patient, list_of(sleeper("a"_a), child("b"_a, "no-such-program-anywhere"))));
  EXPECT_TRUE(
    match(answer, atoms::error(),
          tup("shutdown"_a, tup("failed_to_start_child"_a, "b"_a, tup("enoent"_a, actors::any)))))
    << to_string(answer);
  int downs = 0;
  for (const auto& frame : others)
    downs += match(frame, "down"_a, actors::any, actors::any).has_value();
  EXPECT_EQ(downs, 2) << "before the answer";
  EXPECT_EQ(children(), 0);
}

TEST_F(Supervise, GivesAStartUpOnRequest) {
  peer.send(tuple_of(
    "request"_a, "r"_a,
    tuple_of("supervise"_a, patient,
             list_of(sleeper("a"_a), shell("b"_a, "exec sleep 1000", ready_once("never"))))));
  const auto [id] = skip_to("starting"_a, "r"_a, bind<std::uint64_t>);
  announced(id, "b"_a);
  exit(id, atoms::shutdown());
  skip_to("reply"_a, "r"_a, tuple_of(atoms::error(), atoms::shutdown()));
  EXPECT_EQ(children(), 0);
}

TEST_F(Supervise, TellsOutputWhileTheStartWaits) {
  peer.send(tuple_of(
    "request"_a, "r"_a,
    tuple_of("supervise"_a, patient,
             list_of(shell("a"_a, "echo early; read go; echo up; cat", ready_once("up"))))));
  const auto [id] = skip_to("starting"_a, "r"_a, bind<std::uint64_t>);
  const auto a = announced(id, "a"_a);
  skip_to("message"_a, a, tuple_of("data"_a, "early\n"));
  peer.send(tuple_of("send"_a, a, tuple_of("command"_a, "go\n")));
  skip_to("reply"_a, "r"_a, tuple_of(atoms::ok(), id));
}

// -- children -------------------------------------------------------------------------------------

TEST_F(Supervise, HandsOutEachChildAsAnOpenedOne) {
  const auto supervisor = supervise(list_of(child("a"_a, "cat")));
  const opened a{announced(supervisor, "a"_a), 0};
  send(a, tuple_of("command"_a, "hello"));
  EXPECT_EQ(next_message(a), tuple_of("written"_a, 5));
  EXPECT_EQ(next_message(a), tuple_of("data"_a, "hello"));
  peer.send(tuple_of("ack"_a, a.id, "data"_a, 5));
  EXPECT_GT(os_pid(a.id), 1);
}

TEST_F(Supervise, StartsACrashedChildAgain) {
  const auto supervisor = supervise(list_of(sleeper("a"_a), sleeper("b"_a)));
  const auto a = announced(supervisor, "a"_a), b = announced(supervisor, "b"_a);
  const auto pid = os_pid(a);
  ::kill(pid, SIGKILL);
  skip_to("message"_a, a, tup("exited"_a, pid, tuple_of("signal"_a, 9, false), actors::any));
  skip_to("down"_a, a, tuple_of("signal"_a, 9));
  const auto again = announced(supervisor, "a"_a);
  EXPECT_NE(again, a);
  EXPECT_EQ(result(supervisor, "which_children"_a),
            list_of(tuple_of("b"_a, b, "worker"_a, list_of("penning"_a)),
                    tuple_of("a"_a, again, "worker"_a, list_of("penning"_a))));
  EXPECT_NE(os_pid(again), pid);
}

TEST_F(Supervise, EndsAfterTooManyCrashesChildrenFirst) {
  const auto supervisor = supervise(list_of(sleeper("a"_a), shell("b"_a, "read go; exit 3")),
                                    map_of({{"intensity"_a, 1}}));
  const auto a = announced(supervisor, "a"_a);
  for (int i = 0; i < 2; ++i)
    peer.send(tuple_of("send"_a, announced(supervisor, "b"_a), tuple_of("command"_a, "\n")));
  skip_to("down"_a, a, atoms::shutdown());
  EXPECT_EQ(next(), tuple_of("down"_a, supervisor, atoms::shutdown()));
  EXPECT_EQ(children(), 0);
}

TEST_F(Supervise, TellsTheEndOfAChildThatCouldNotEvenBeMade) {
  const auto folder =
    std::filesystem::temp_directory_path() / ("penning-supervise-" + std::to_string(peer.pid()));
  std::filesystem::create_directory(folder);
  const auto in_folder = map_of({{"cd"_a, folder.string()}});
  const auto supervisor =
    supervise(list_of(shell("a"_a, "exec sleep 1000", in_folder)), map_of({{"intensity"_a, 1}}));
  const auto pid = os_pid(announced(supervisor, "a"_a));
  std::filesystem::remove(folder); // so that its restarts fail
  ::kill(pid, SIGKILL);
  skip_to("down"_a, announced(supervisor, "a"_a), bind<term>);
  skip_to("down"_a, supervisor, atoms::shutdown());
}

TEST_F(Supervise, TellsItsEndAfterItsChildrensLastOutput) {
  const auto supervisor =
    supervise(list_of(shell("a"_a, "head -c 3000 /dev/zero; echo -n . >&2; exec sleep 1000",
                            map_of({{"stdio_window"_a, 1000}}))));
  const auto id = announced(supervisor, "a"_a);
  const opened a{id, os_pid(id)};
  skip_to("message"_a, a.id, tuple_of("error"_a, ".")); // then all 3000 stand in the pipe
  exit(supervisor, atoms::shutdown());
  peer.send(tuple_of("ack"_a, a.id, "data"_a, 1000));
  const auto rest = collect(a);
  EXPECT_EQ(rest.data.size(), 2000u);
  EXPECT_EQ(rest.reason, atoms::shutdown());
  EXPECT_EQ(next(), tuple_of("down"_a, supervisor, atoms::shutdown()));
}

// -- what OTP does not have -----------------------------------------------------------------------

TEST_F(Supervise, RestartsAChildWithBackOffOnlyAfterAWhile) {
  const auto long_wait = map_of({{"initial"_a, 60'000}, {"max"_a, 60'000}});
  const auto supervisor =
    supervise(list_of(sleeper("a"_a, {{"backoff"_a, long_wait}}), sleeper("b"_a)));
  const auto a = announced(supervisor, "a"_a);
  ::kill(os_pid(a), SIGKILL);
  skip_to("down"_a, a, tuple_of("signal"_a, 9));
  // which the supervisor may be told a moment later
  const auto state = [&] {
    const auto all = result(supervisor, "which_children"_a);
    return (*(*all.get_if<list>())[1].get_if<actors::tuple>())[1];
  };
  for (int i = 0; i < 10'000 && state() == term{a}; ++i)
    continue;
  EXPECT_EQ(state(), "restarting"_a);
  others.clear();
  EXPECT_EQ(request(tuple_of("call"_a, a, "os_pid"_a)), tuple_of(atoms::error(), atoms::noproc()));
  EXPECT_TRUE(others.empty()) << "it waits: " << to_string(others.front());
}

TEST_F(Supervise, RestartsAChildWithBackOffAtLast) {
  const auto short_wait = map_of({{"initial"_a, 1}, {"jitter"_a, 0}});
  const auto supervisor = supervise(list_of(sleeper("a"_a, {{"backoff"_a, short_wait}})));
  const auto a = announced(supervisor, "a"_a);
  ::kill(os_pid(a), SIGKILL);
  EXPECT_NE(announced(supervisor, "a"_a), a);
}

TEST_F(Supervise, StartsAChildAfterThoseThatItNeeds) {
  peer.send(tuple_of("request"_a, "r"_a,
                     tuple_of("supervise"_a, patient,
                              list_of(sleeper("web"_a, {{"start_after"_a, list_of("db"_a)}}),
                                      shell("db"_a, "read go; echo up; cat", ready_once("up"))))));
  const auto [id] = skip_to("starting"_a, "r"_a, bind<std::uint64_t>);
  const auto [first, db] =
    skip_to("message"_a, id, tup("child"_a, bind<term>, bind<std::uint64_t>));
  EXPECT_EQ(first, "db"_a);
  EXPECT_TRUE(match(request("info"_a), atoms::ok(), actors::any));
  EXPECT_TRUE(others.empty()) << "not before it is up: " << to_string(others.front());
  peer.send(tuple_of("send"_a, db, tuple_of("command"_a, "\n")));
  announced(id, "web"_a);
  skip_to("reply"_a, "r"_a, tuple_of(atoms::ok(), id));
}

TEST_F(Supervise, GivesAStartUpAfterItsTimeout) {
  const auto answer = request(tuple_of(
    "supervise"_a, patient,
    list_of(shell("a"_a, "exec sleep 1000", ready_once("never"), {{"start_timeout"_a, 50}}))));
  EXPECT_EQ(answer,
            tuple_of(atoms::error(), tuple_of("shutdown"_a, tuple_of("failed_to_start_child"_a,
                                                                     "a"_a, atoms::timeout()))));
  EXPECT_EQ(children(), 0);
}

// -- requests -------------------------------------------------------------------------------------

TEST_F(Supervise, AnswersAsOtpsFunctionsDo) {
  const auto supervisor = supervise(list_of(sleeper("a"_a)));
  const auto a = announced(supervisor, "a"_a);
  const auto is = [&](const term& message, const term& expected) {
    EXPECT_EQ(result(supervisor, message), expected) << to_string(message);
  };
  const auto error = [](const term& reason) { return tuple_of(atoms::error(), reason); };
  const auto start_b = tuple_of("start_child"_a, sleeper("b"_a));
  is("count_children"_a, list_of(tuple_of("specs"_a, 1), tuple_of("active"_a, 1),
                                 tuple_of("supervisors"_a, 0), tuple_of("workers"_a, 1)));
  is(tuple_of("start_child"_a, sleeper("a"_a)), error(tuple_of("already_started"_a, a)));
  const auto started = result(supervisor, start_b);
  const auto b = announced(supervisor, "b"_a);
  EXPECT_EQ(started, tuple_of(atoms::ok(), b, os_pid(b)));
  is(tuple_of("delete_child"_a, "b"_a), error("running"_a));
  is(tuple_of("restart_child"_a, "b"_a), error("running"_a));
  is(tuple_of("terminate_child"_a, "b"_a), atoms::ok());
  is(start_b, error("already_present"_a));
  is("which_children"_a,
     list_of(tuple_of("b"_a, atoms::undefined(), "worker"_a, list_of("penning"_a)),
             tuple_of("a"_a, a, "worker"_a, list_of("penning"_a))));
  EXPECT_TRUE(match(result(supervisor, tuple_of("restart_child"_a, "b"_a)), atoms::ok(),
                    bind<std::uint64_t>, bind<pid_t>));
  is(tuple_of("terminate_child"_a, "b"_a), atoms::ok());
  is(tuple_of("delete_child"_a, "b"_a), atoms::ok());
  for (const auto& name :
       {"terminate_child"_a, "restart_child"_a, "delete_child"_a, "get_childspec"_a})
    is(tuple_of(name, "b"_a), error("not_found"_a));
  is(tuple_of("start_child"_a, map_of({})), error("missing_id"_a));
  const auto spec = result(supervisor, tuple_of("get_childspec"_a, "a"_a));
  const auto found = std::get<0>(*match(spec, atoms::ok(), bind<term>));
  EXPECT_EQ(*actors::lookup(found, "restart"), "permanent"_a);
  EXPECT_EQ(*actors::lookup(found, "start"), *actors::lookup(sleeper("a"_a), "start"));
}

TEST_F(Supervise, TellsWhatItDoesNotUnderstand) {
  const auto supervisor = supervise(list_of(sleeper("a"_a)));
  for (const term& message : {term{"nonsense"_a}, term{tuple_of("nonsense"_a, 1)}, term{7}})
    EXPECT_EQ(call(supervisor, message),
              tuple_of(atoms::error(), tuple_of("bad_request"_a, message)));
  others.clear();
  peer.send(tuple_of("send"_a, supervisor, tuple_of("command"_a, "x")));
  EXPECT_TRUE(match(next(), "error"_a, "bad_request"_a, actors::any));
}

TEST_F(Supervise, AnswersWhatWaitsWhenItEnds) {
  const auto supervisor = supervise(list{});
  peer.send(tuple_of(
    "request"_a, "r"_a,
    tuple_of("call"_a, supervisor,
             tuple_of("start_child"_a, shell("a"_a, "exec sleep 1000", ready_once("never"))))));
  announced(supervisor, "a"_a);
  exit(supervisor, atoms::shutdown());
  skip_to("reply"_a, "r"_a, tuple_of(atoms::error(), atoms::shutdown()));
  skip_to("down"_a, supervisor, atoms::shutdown());
  EXPECT_EQ(children(), 0);
  EXPECT_EQ(call(supervisor, "which_children"_a), tuple_of(atoms::error(), atoms::noproc()));
}

// -- the end --------------------------------------------------------------------------------------

TEST_F(Supervise, StopsItsChildrenInReverseOrder) {
  const auto supervisor = supervise(list_of(sleeper("a"_a), sleeper("b"_a), sleeper("c"_a)));
  std::vector<std::uint64_t> ids;
  for (const auto& id : {"a"_a, "b"_a, "c"_a})
    ids.push_back(announced(supervisor, id));
  exit(supervisor, "enough"_a);
  for (const auto id : {ids[2], ids[1], ids[0]})
    EXPECT_EQ(std::get<0>(skip_to("down"_a, bind<std::uint64_t>, atoms::shutdown())), id);
  EXPECT_EQ(next(), tuple_of("down"_a, supervisor, "enough"_a));
}

TEST_F(Supervise, LeavesNothingWhenItIsKilled) {
  const auto supervisor = supervise(list_of(sleeper("a"_a), sleeper("b"_a)));
  exit(supervisor, atoms::kill());
  std::size_t downs = 0;
  for (;; ++downs)
    if (std::get<0>(skip_to("down"_a, bind<std::uint64_t>, bind<term>)) == supervisor)
      break;
  EXPECT_EQ(downs, 2u);
  EXPECT_EQ(children(), 0);
}

TEST_F(Supervise, StopsItsChildrenInOrderWhenThePortProgramEnds) {
  const auto stubborn =
    shell("b"_a, "trap '' TERM; echo up; while :; do sleep 1000; done", ready_once("up"));
  const auto supervisor = supervise(list_of(sleeper("a"_a), stubborn));
  const auto a = announced(supervisor, "a"_a), b = announced(supervisor, "b"_a);
  ::kill(peer.pid(), SIGTERM);
  for (const auto id : {b, a, supervisor})
    EXPECT_EQ(std::get<0>(skip_to("down"_a, bind<std::uint64_t>, bind<term>)), id);
}

class SuperviseEnd : public Supervise {
 protected:
  SuperviseEnd() {
    const auto supervisor =
      supervise(list_of(shell("a"_a, "trap '' TERM; echo up; while :; do sleep 1000; done",
                              map_of({{"ready"_a, tuple_of("stdout"_a, "up")}})),
                        sleeper("b"_a)));
    const auto a = announced(supervisor, "a"_a), b = announced(supervisor, "b"_a);
    for (const auto id : {a, b})
      processes.push_back(io::open_pidfd(os_pid(id)));
  }

  void expect_gone() {
    for (const auto& process : processes)
      EXPECT_TRUE(dies(process, 5000));
  }

  std::vector<io::unique_fd> processes;
};

TEST_F(SuperviseEnd, FollowsTheEndOfStdin) {
  peer.close_stdin();
  expect_gone();
  EXPECT_EQ(WEXITSTATUS(peer.wait_status()), 0) << peer.errors;
}

TEST_F(SuperviseEnd, BySigtermIsOrderly) {
  ::kill(peer.pid(), SIGTERM);
  expect_gone();
  EXPECT_EQ(WEXITSTATUS(peer.wait_status()), 0) << peer.errors;
}

TEST_F(SuperviseEnd, BySigkillLeavesNoChild) {
  ::kill(peer.pid(), SIGKILL);
  expect_gone();
}

TEST_F(SuperviseEnd, ByACutFrameKillsAtOnce) {
  peer.send_raw({0, 0, 0, 9, 'c', 'u', 't'});
  peer.close_stdin();
  expect_gone();
  EXPECT_EQ(WEXITSTATUS(peer.wait_status()), 1);
}

} // namespace
} // namespace penning::test
