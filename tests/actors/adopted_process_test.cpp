#include "io/subprocess.hpp"
#include "real_os_process.hpp"
#include "support/foreign_process.hpp"

#include <penning/actors/adopted_process.hpp>

#include <gmock/gmock.h>

#include <csignal>
#include <future>

namespace penning::test {
namespace {

using actors::adopt_options;
using testing::ElementsAre;

class AdoptedProcess : public real_os_process {
 protected:
  actors::start_result adopt(adopt_options options) {
    std::promise<actors::start_result> result;
    tell([&](keeper& self) {
      auto started = self.start_link<actors::adopted_process>(io_, caf::actor{&self}, options);
      self.child = started.pid;
      result.set_value(started.result);
    });
    return result.get_future().get();
  }

  template <class Message>
  term ask(Message message) {
    std::promise<term> answer;
    tell([&](keeper& self) {
      actors::request(&self, self.child, message)
        .then([&] { answer.set_value(atoms::ok()); },
              [&](const caf::error& e) { answer.set_value(actors::reason_from(e)); });
    });
    return answer.get_future().get();
  }
};

TEST_F(AdoptedProcess, TellsTheEndOfAStranger) {
  foreign_orphan stranger{"exec sleep 1000"};
  const auto started = adopt({.pid = stranger.pid()});
  EXPECT_EQ(started.how, actors::start_result::kind::ok);
  EXPECT_EQ(started.value, stranger.pid());
  EXPECT_EQ(ask(actors::signal{"nosuch"_a}), tuple_of("bad_signal"_a, "nosuch"_a));
  EXPECT_EQ(ask(actors::signal{"SIGKILL"_a}), atoms::ok());
  EXPECT_THAT(told_.rest(), ElementsAre("exited", "exit {signal,0}"));
}

TEST_F(AdoptedProcess, KnowsTheStatusOfAChildOfThisProgram) {
  foreign_child child{{"/bin/sh", "-c", "kill -STOP $$; exit 7"}};
  adopt({.pid = child.pid()});
  while (io::test::state_of(child.pid()) != 'T') {
  }
  EXPECT_EQ(ask(actors::signal{"CONT"_a}), atoms::ok());
  EXPECT_THAT(told_.rest(), ElementsAre("exited", "exit {exit_status,7}"));
}

TEST_F(AdoptedProcess, IsStoppedByItsSignalWhenItIsClosed) {
  foreign_child child{{"/bin/sleep", "1000"}};
  adopt({.pid = child.pid(), .stop_signal = "INT", .delay_to_sigkill = 60s});
  send(actors::close{});
  EXPECT_THAT(told_.rest(), ElementsAre("closed", "exited", "exit shutdown"));
  EXPECT_EQ(WTERMSIG(child.wait()), SIGINT);
}

TEST_F(AdoptedProcess, IsKilledOnceItOutlivesItsDelay) {
  foreign_orphan stranger{"trap '' TERM; while :; do sleep 0.01; done"};
  adopt({.pid = stranger.pid(), .delay_to_sigkill = 20ms});
  send_exit(atoms::shutdown());
  EXPECT_THAT(told_.rest(), ElementsAre("exited", "exit shutdown"));
}

TEST_F(AdoptedProcess, IsKilledWithItsActor) {
  foreign_child child{{"/bin/sleep", "1000"}};
  adopt({.pid = child.pid(), .delay_to_sigkill = 60s});
  send_exit(atoms::kill());
  EXPECT_THAT(told_.rest(), ElementsAre("exited", "exit killed"));
  EXPECT_EQ(WTERMSIG(child.wait()), SIGKILL);
}

TEST_F(AdoptedProcess, IsStoppedWhenItsOwnerEnds) {
  foreign_orphan stranger{"exec sleep 1000"};
  adopt({.pid = stranger.pid(), .delay_to_sigkill = 60s});
  end_owner();
  EXPECT_TRUE(stranger.dies_within(0)) << "before its actor has ended";
}

TEST_F(AdoptedProcess, TellsHowItIs) {
  foreign_child child{{"/bin/sleep", "1000"}};
  adopt({.pid = child.pid()});
  std::promise<actors::info_reply> answer;
  tell([&](keeper& self) {
    actors::request(&self, self.child, actors::info{}).then([&](const actors::info_reply& r) {
      answer.set_value(r);
    });
  });
  const auto info = answer.get_future().get();
  EXPECT_EQ(info.state, "running"_a);
  EXPECT_EQ(info.os_pid, child.pid());
  EXPECT_LT(info.uptime, 60'000);
}

TEST_F(AdoptedProcess, HasNeitherStreamsNorATerminal) {
  foreign_child child{{"/bin/sleep", "1000"}};
  adopt({.pid = child.pid()});
  EXPECT_EQ(ask(actors::command{{'x'}}), tuple_of("ebadf"_a, "Bad file descriptor"));
  EXPECT_EQ(ask(actors::window_size{1, 1}), tuple_of("enotty"_a, "Inappropriate ioctl for device"));
  send(actors::close_stdin{});
  send_exit(atoms::shutdown());
  EXPECT_THAT(told_.rest(), ElementsAre("exited", "exit shutdown"));
}

TEST_F(AdoptedProcess, IsNotStartedWhereThereIsNone) {
  pid_t gone = 0;
  {
    foreign_child child{{"/bin/true"}};
    gone = child.pid();
  }
  const auto started = adopt({.pid = gone});
  EXPECT_EQ(started.how, actors::start_result::kind::stop);
  EXPECT_EQ(started.value, tuple_of("esrch"_a, "No such process"));
}

/// In a program that has no rights, for which it may have to give them up.
int adopt_without_rights() {
  if (::getuid() == 0 && ::setresuid(65'534, 65'534, 65'534) != 0)
    return 2;
  probe::log log;
  journal told;
  io::context io;
  actors::system_config config;
  caf::actor_system system{config};
  auto owner = system.spawn<keeper>(log, told);
  actors::post(owner, probe::step{[&](probe& self) {
                 auto pid = self
                              .start_link<actors::adopted_process>(io, caf::actor{&self},
                                                                   adopt_options{.pid = 1})
                              .pid;
                 actors::send(&self, pid, actors::close{});
               }});
  const auto entries = told.rest();
  actors::send_exit(owner, {}, atoms::kill());
  return entries.size() == 1 && entries[0].starts_with("exit {eperm,") ? 0 : 1;
}

TEST(AdoptedProcessWithoutRights, IsLetGoWhenItIsToEnd) {
  EXPECT_EQ(io::test::in_subprocess(adopt_without_rights), 0);
}

class BadAdoption : public testing::TestWithParam<adopt_options> {};

TEST_P(BadAdoption, IsRefused) {
  EXPECT_THROW(actors::validate(GetParam()), io::option_error);
}

INSTANTIATE_TEST_SUITE_P(
  Each, BadAdoption,
  testing::Values(adopt_options{}, adopt_options{.pid = -1}, adopt_options{.pid = ::getpid()},
                  adopt_options{.pid = 1, .stop_signal = "SIGNOSUCH"},
                  adopt_options{.pid = 1, .delay_to_sigkill = std::chrono::milliseconds{-1}}));

} // namespace
} // namespace penning::test
