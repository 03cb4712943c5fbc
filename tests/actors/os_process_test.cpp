#include "os_process_fixture.hpp"

namespace penning::test {
namespace {

TEST_F(OsProcess, IsAcknowledgedOnceItsProgramRuns) {
  start();
  EXPECT_EQ(start_.result.how, actors::start_result::kind::pending);
  EXPECT_TRUE(got_.signals.acks.empty());
  host_.last().start();
  run();
  ASSERT_EQ(got_.signals.acks.size(), 1u);
  EXPECT_EQ(got_.signals.acks[0].second.how, actors::start_result::kind::ok);
  EXPECT_EQ(got_.signals.acks[0].second.value, 4711);
}

TEST_F(OsProcess, ThatCannotBeExecutedTellsTheErrno) {
  start();
  host_.last().observer->on_start_failed(std::make_error_code(std::errc::permission_denied),
                                         "execve /etc/passwd");
  run();
  const auto reason = tuple_of("eacces"_a, "execve /etc/passwd: Permission denied");
  ASSERT_EQ(got_.signals.acks.size(), 1u);
  EXPECT_EQ(got_.signals.acks[0].second.how, actors::start_result::kind::stop);
  EXPECT_EQ(got_.signals.acks[0].second.value, reason);
  EXPECT_TRUE(got_.signals.exits.empty()) << "the answer is enough";
}

TEST_F(OsProcess, RefusesBadOptionsBeforeAnythingIsStarted) {
  start({{.program = "/bin/true"}, std::chrono::milliseconds{-1}, 65'536, {}});
  EXPECT_TRUE(host_.children.empty());
  EXPECT_EQ(start_.result.how, actors::start_result::kind::stop);
  EXPECT_EQ(start_.result.value, tuple_of("bad_option"_a, "delay_to_sigkill"_a, "-1",
                                          "must be from 0 to 4294967295 ms"));
  EXPECT_TRUE(got_.signals.exits.empty());
}

TEST_F(OsProcess, OpensItsWindowAgainAsTheOwnerConsumes) {
  running({{.program = "/bin/true"}, 500ms, 10, {}});
  EXPECT_EQ(host_.last().granted_out, 10u);
  host_.last().write(io::output::out, "hello");
  host_.last().write(io::output::err, "oops");
  run();
  EXPECT_EQ(got_.data, "hello");
  EXPECT_EQ(got_.error, "oops");
  EXPECT_EQ(host_.last().granted_out, 15u);
  EXPECT_EQ(host_.last().granted_err, 14u);
}

TEST_F(OsProcess, GrantsNothingToAnOwnerThatDoesNotConsume) {
  running({{.program = "/bin/true"}, 500ms, 10, {}});
  got_.consumes = false;
  host_.last().write(io::output::out, "hello");
  run();
  EXPECT_EQ(host_.last().granted_out, 10u);
  tell(owner_, [&](probe&) { got_.unconsumed.at(0).deliver(caf::unit); });
  EXPECT_EQ(host_.last().granted_out, 15u);
}

TEST_F(OsProcess, DeliversWhatItsPipesHeldAsTheOwnerConsumesAndThenItsEnd) {
  running({{.program = "/bin/true"}, 500ms, 4, {}});
  got_.consumes = false;
  // given output past the window, as an ended child leaves it
  host_.last().write(io::output::out, "1234");
  host_.last().write(io::output::out, "567890a");
  end(status, 3);
  EXPECT_EQ(got_.data, "1234");
  EXPECT_TRUE(got_.ends.empty());
  tell(owner_, [&](probe&) { got_.unconsumed.at(0).deliver(caf::unit); });
  EXPECT_EQ(got_.data, "12345678") << "never more than the window";
  EXPECT_TRUE(got_.ends.empty());
  tell(owner_, [&](probe&) { got_.unconsumed.at(1).deliver(caf::unit); });
  EXPECT_EQ(got_.data, "1234567890a");
  ASSERT_EQ(got_.ends.size(), 1u) << "all has been sent";
  EXPECT_EQ(got_.ends[0].how, (io::exit_status{status, 3, false}));
}

TEST_F(OsProcess, TellsAParentOfItsEndBeforeASlowOwnerHasConsumed) {
  probe::log parent_log;
  auto parent = spawn<probe>(parent_log, true);
  tell(parent, [&](probe& self) {
    child_ = self
               .start_link<actors::os_process>(
                 host_, owner_, actors::os_process_options{{.program = "/bin/true"}, 500ms, 4, {}})
               .pid;
  });
  host_.last().start();
  run();
  got_.consumes = false;
  host_.last().write(io::output::out, "1234");
  host_.last().write(io::output::out, "5");
  end(status, 3);
  ASSERT_EQ(parent_log.exits.size(), 1u);
  EXPECT_EQ(parent_log.exits[0].second, tuple_of("exit_status"_a, 3));
  EXPECT_TRUE(got_.signals.exits.empty());
  tell(owner_, [&](probe&) { got_.unconsumed.at(0).deliver(caf::unit); });
  EXPECT_EQ(got_.data, "12345");
  EXPECT_EQ(got_.signals.exits.size(), 1u);
  EXPECT_EQ(parent_log.exits.size(), 1u) << "told once";
  tell(parent, [](probe& self) { self.exit(atoms::normal()); });
}

struct end_case {
  io::exit_status how;
  term reason;
};

class OsProcessEnd : public OsProcess, public testing::WithParamInterface<end_case> {};

TEST_P(OsProcessEnd, IsItsExitReason) {
  running({{.program = "/bin/true"}, 500ms, 4, {77}});
  host_.last().end(GetParam().how);
  run();
  ASSERT_EQ(got_.ends.size(), 1u);
  EXPECT_EQ(got_.ends[0].os_pid, 4711);
  EXPECT_EQ(got_.ends[0].how, GetParam().how);
  ASSERT_EQ(got_.signals.exits.size(), 1u);
  EXPECT_EQ(got_.signals.exits[0].second, GetParam().reason);
}

INSTANTIATE_TEST_SUITE_P(
  Kinds, OsProcessEnd,
  testing::Values(end_case{{io::exit_status::kind::status, 0, false}, atoms::normal()},
                  end_case{{io::exit_status::kind::status, 77, false}, atoms::normal()},
                  end_case{{io::exit_status::kind::status, 137, false},
                           tuple_of("exit_status"_a, 137)},
                  end_case{{io::exit_status::kind::signal, 9, false}, tuple_of("signal"_a, 9)},
                  end_case{{io::exit_status::kind::signal, 11, true}, tuple_of("signal"_a, 11)}));

TEST_F(OsProcess, IsKilledOnceItOutlivesItsDelay) {
  running();
  from_owner(actors::close{});
  EXPECT_EQ(host_.last().signals, asked_to_end);
  advance(499ms);
  EXPECT_EQ(host_.last().signals, asked_to_end);
  advance(1ms);
  EXPECT_EQ(host_.last().signals,
            (signals{asked_to_end[0], asked_to_end[1], {SIGKILL, signal_target::group}}));
}

TEST_F(OsProcess, AnswersCloseBeforeItsEndWhichIsShutdown) {
  running();
  from_owner(actors::close{});
  EXPECT_EQ(got_.closed, 0);
  end(by_signal, SIGTERM);
  EXPECT_EQ(got_.closed, 1);
  ASSERT_EQ(got_.signals.exits.size(), 1u);
  EXPECT_EQ(got_.signals.exits[0].second, atoms::shutdown());
}

TEST_F(OsProcess, IgnoresCloseFromOthers) {
  running();
  actors::post(child_, actors::close{});
  run();
  EXPECT_TRUE(host_.last().signals.empty());
}

TEST_F(OsProcess, IsStoppedWhenItsOwnerIsKilled) {
  running();
  actors::send_exit(owner_, {}, atoms::kill());
  run();
  EXPECT_EQ(host_.last().signals, asked_to_end);
}

TEST_F(OsProcess, DeliversItsLastWordsToTheOwnerThatStopsIt) {
  running();
  tell(owner_, [&](probe& self) { self.exit(child_, atoms::shutdown()); });
  EXPECT_EQ(host_.last().signals, asked_to_end);
  host_.last().write(io::output::out, "bye");
  end(status, 0);
  EXPECT_EQ(got_.data, "bye");
  ASSERT_EQ(got_.signals.exits.size(), 1u);
  EXPECT_EQ(got_.signals.exits[0].second, atoms::shutdown());
}

TEST_F(OsProcess, KillsAtOnceWhenItIsKilled) {
  running();
  actors::send_exit(child_, {}, atoms::kill());
  run();
  EXPECT_EQ(host_.last().signals, (signals{{SIGKILL, signal_target::group}}));
  EXPECT_TRUE(got_.signals.exits.empty()) << "its processes are not gone yet";
  end(by_signal, SIGKILL);
  ASSERT_EQ(got_.signals.exits.size(), 1u);
  EXPECT_EQ(got_.signals.exits[0].second, atoms::killed());
}

TEST_F(OsProcess, StoppedBeforeItHasStartedIsSentItsSignalOnceItHas) {
  start();
  from_owner(actors::close{});
  EXPECT_TRUE(host_.last().signals.empty());
  host_.last().start();
  run();
  EXPECT_EQ(host_.last().signals, asked_to_end);
}

TEST_F(OsProcess, KilledBeforeItHasStartedIsSentItsSignalOnceItHas) {
  start();
  actors::send_exit(child_, {}, atoms::kill());
  run();
  host_.last().start();
  run();
  EXPECT_EQ(host_.last().signals, (signals{{SIGKILL, signal_target::group}}));
}

TEST_F(OsProcess, TakesInputBeforeItHasStarted) {
  start();
  from_owner(actors::command{{'h', 'i'}});
  from_owner(actors::close_stdin{});
  host_.last().start();
  run();
  EXPECT_EQ(host_.last().written, "hi");
  EXPECT_TRUE(host_.last().stdin_closed);
}

TEST_F(OsProcess, AnswersACommandOnceTheChildHasTakenIt) {
  running();
  int taken = 0;
  tell(owner_, [&](probe& self) {
    actors::request(&self, child_, actors::command{{'a', 'b', 'c'}}).then([&] { ++taken; });
    actors::request(&self, child_, actors::command{{'d'}}).then([&] { ++taken; });
  });
  host_.last().observer->on_written(2);
  run();
  EXPECT_EQ(taken, 0);
  host_.last().observer->on_written(1);
  run();
  EXPECT_EQ(taken, 1);
  host_.last().observer->on_written(1);
  run();
  EXPECT_EQ(taken, 2);
}

TEST_F(OsProcess, RefusesACommandOnceStdinIsClosed) {
  running();
  std::vector<term> errors;
  const auto write = [&](probe& self) {
    actors::request(&self, child_, actors::command{{'a'}})
      .then([] {}, [&](const caf::error& e) { errors.push_back(actors::reason_from(e)); });
  };
  tell(owner_, write); // in the queue when it happens
  host_.last().observer->on_stdin_closed(std::make_error_code(std::errc::broken_pipe));
  run();
  tell(owner_, write);
  EXPECT_EQ(errors, std::vector<term>(2, tuple_of("epipe"_a, "Broken pipe")));
}

TEST_F(OsProcess, GoesToANewOwner) {
  running();
  owner::received second;
  auto heir = spawn<owner>(second);
  from_owner(actors::connect{heir});
  EXPECT_EQ(got_.connected, 1);
  host_.last().write(io::output::out, "for the heir");
  run();
  EXPECT_EQ(second.data, "for the heir");
  EXPECT_EQ(got_.data, "");
  end(status, 0);
  EXPECT_EQ(second.ends.size(), 1u);
  EXPECT_EQ(second.signals.exits.size(), 1u);
  tell(heir, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(OsProcess, DoesNotWaitForWhatItsFormerOwnerHolds) {
  running({{.program = "/bin/true"}, 500ms, 4, {}});
  got_.consumes = false;
  host_.last().write(io::output::out, "1234");
  run();
  EXPECT_EQ(host_.last().granted_out, 4u);
  owner::received second;
  auto heir = spawn<owner>(second);
  from_owner(actors::connect{heir});
  EXPECT_EQ(host_.last().granted_out, 8u);
  tell(owner_, [&](probe&) { got_.unconsumed.at(0).deliver(caf::unit); }); // counts no more
  EXPECT_EQ(host_.last().granted_out, 8u);
  host_.last().write(io::output::out, "5678");
  run();
  EXPECT_EQ(second.data, "5678");
  EXPECT_EQ(host_.last().granted_out, 12u);
  tell(heir, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(OsProcess, HasAPidOnlyWhileItRuns) {
  std::vector<std::int64_t> pids;
  const auto ask = [&](probe& self) {
    actors::request(&self, child_, actors::os_pid{}).then([&](actors::os_pid_reply& r) {
      pids.push_back(r.pid);
    });
  };
  start({{.program = "/bin/true"}, 500ms, 1, {}});
  tell(owner_, ask);
  host_.last().start();
  tell(owner_, ask);
  got_.consumes = false;
  host_.last().write(io::output::out, "ab"); // holds the actor beyond the end
  end(status, 0);
  tell(owner_, ask);
  EXPECT_EQ(pids, (std::vector<std::int64_t>{0, 4711, 0}));
}

TEST_F(OsProcess, EndsWithItsOwnerWhoHeldBackItsOutput) {
  running({{.program = "/bin/true"}, 500ms, 4, {}});
  got_.consumes = false;
  host_.last().write(io::output::out, "1234");
  probe::log log;
  auto watcher = spawn<probe>(log);
  tell(watcher, [&](probe& self) { self.monitor(child_); });
  actors::send_exit(owner_, {}, atoms::kill());
  run();
  host_.last().write(io::output::out, "what the pipe still held");
  end(by_signal, SIGTERM);
  ASSERT_EQ(log.downs.size(), 1u);
  EXPECT_EQ(log.downs[0].second, atoms::shutdown());
  tell(watcher, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(OsProcess, EndsWhenItsOwnerDoesSoAfterItsChild) {
  running({{.program = "/bin/true"}, 500ms, 4, {}});
  got_.consumes = false;
  host_.last().write(io::output::out, "12345");
  end(status, 0);
  probe::log log;
  auto watcher = spawn<probe>(log);
  tell(watcher, [&](probe& self) { self.monitor(child_); });
  EXPECT_TRUE(log.downs.empty());
  actors::send_exit(owner_, {}, atoms::kill());
  run();
  EXPECT_EQ(log.downs.size(), 1u);
  tell(watcher, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(OsProcess, DeliversAllEvenWhenItIsKilledAfterItsChild) {
  running({{.program = "/bin/true"}, 500ms, 4, {}});
  got_.consumes = false;
  host_.last().write(io::output::out, "12345");
  end(status, 3);
  actors::send_exit(child_, {}, atoms::kill());
  run();
  EXPECT_TRUE(got_.ends.empty());
  tell(owner_, [&](probe&) { got_.unconsumed.at(0).deliver(caf::unit); });
  EXPECT_EQ(got_.data, "12345");
  EXPECT_EQ(got_.ends.size(), 1u);
}

TEST_F(OsProcess, StaysLinkedWhenItIsConnectedToItsOwnerAgain) {
  probe::log parent_log;
  auto parent = spawn<probe>(parent_log, true);
  tell(parent, [&](probe& self) {
    child_ = self
               .start_link<actors::os_process>(host_, owner_,
                                               actors::os_process_options{{.program = "/bin/true"}})
               .pid;
  });
  host_.last().start();
  run();
  from_owner(actors::connect{owner_});
  actors::send_exit(owner_, {}, atoms::kill());
  run();
  EXPECT_EQ(host_.last().signals, asked_to_end);
  tell(parent, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(OsProcess, AnswersEveryCommand) {
  start();
  std::vector<term> answers;
  const auto write = [&](std::vector<char> bytes) {
    tell(owner_, [&](probe& self) {
      actors::request(&self, child_, actors::command{bytes})
        .then([&] { answers.push_back(atoms::ok()); },
              [&](const caf::error& e) { answers.push_back(actors::reason_from(e)); });
    });
  };
  write({});
  EXPECT_EQ(answers, std::vector<term>{atoms::ok()}) << "nothing is taken at once";
  from_owner(actors::close_stdin{});
  write({'x'});
  EXPECT_EQ(answers.back(), term{tuple_of("epipe"_a, "Broken pipe")}) << "after the end of file";
}

TEST_F(OsProcess, AnswersACommandWhenItsStartFails) {
  start();
  std::vector<term> answers;
  tell(owner_, [&](probe& self) {
    actors::request(&self, child_, actors::command{{'x'}})
      .then([] {}, [&](const caf::error& e) { answers.push_back(actors::reason_from(e)); });
  });
  host_.last().observer->on_start_failed(std::make_error_code(std::errc::permission_denied), "x");
  run();
  EXPECT_EQ(answers, std::vector<term>{atoms::noproc()});
}

TEST_F(OsProcess, RefusesADelayThatNoTimerTakes) {
  actors::os_process_options options{{.program = "/bin/true"}};
  options.delay_to_sigkill = actors::max_delay + 1ms;
  EXPECT_THROW(actors::validate(options), io::option_error);
  options.delay_to_sigkill = actors::max_delay;
  EXPECT_NO_THROW(actors::validate(options));
}

} // namespace
} // namespace penning::test
