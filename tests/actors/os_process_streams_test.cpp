#include "os_process_fixture.hpp"

#include <gmock/gmock.h>

#include <limits>

namespace penning::test {
namespace {

using actors::delivery;
using actors::input_bound;
using actors::input_notice;
using testing::ElementsAre;

// -- delivery -------------------------------------------------------------------------------------

class OsProcessLines : public OsProcess {
 protected:
  void running_with(std::size_t max_length = 4, std::size_t window = 6) {
    actors::os_process_options options;
    options.stdio_window = window;
    options.stdout_delivery = {delivery::kind::lines, "", max_length};
    options.stderr_delivery = {delivery::kind::records, "--", max_length};
    running(std::move(options));
  }
};

TEST_F(OsProcessLines, AreDeliveredOfEachStreamAsItWasAskedFor) {
  running_with(4, 20);
  host_.last().write(io::output::out, "ab\nabcde");
  host_.last().write(io::output::err, "x--y\n--");
  run();
  EXPECT_THAT(got_.lines,
              ElementsAre("data eol ab", "data noeol abcd", "error eol x", "error eol y\n"));
  EXPECT_EQ(got_.data + got_.error, "");
}

TEST_F(OsProcessLines, GiveTheirBytesAndDelimitersBackToTheWindow) {
  running_with();
  EXPECT_EQ(host_.last().granted_out, 6u);
  host_.last().write(io::output::out, "ab\nc");
  run();
  EXPECT_EQ(host_.last().granted_out, 9u) << "what is held back counts as unconsumed";
  host_.last().write(io::output::out, "\n");
  run();
  EXPECT_EQ(host_.last().granted_out, 11u);
}

TEST_F(OsProcessLines, HaveAWindowThatALineFits) {
  running_with(10, 1);
  EXPECT_EQ(host_.last().granted_out, 11u);
  EXPECT_EQ(host_.last().granted_err, 12u);
}

TEST_F(OsProcessLines, AreSentNoFurtherThanTheWindow) {
  running_with();
  got_.consumes = false;
  host_.last().write(io::output::out,
                     "ab\ncd\nef\n"); // past the window, as an ended child leaves it
  run();
  EXPECT_THAT(got_.lines, ElementsAre("data eol ab", "data eol cd"));
  end(status, 0);
  EXPECT_TRUE(got_.ends.empty());
  tell(owner_, [&](probe&) { got_.unconsumed.at(0).deliver(caf::unit); });
  EXPECT_THAT(got_.lines, ElementsAre("data eol ab", "data eol cd", "data eol ef"));
  EXPECT_EQ(got_.ends.size(), 1u);
}

TEST_F(OsProcessLines, WithoutAnEndComeBeforeTheEndOfTheChild) {
  running_with();
  host_.last().write(io::output::out, "ab");
  host_.last().write(io::output::err, "cd-");
  end(status, 3);
  EXPECT_THAT(got_.lines, ElementsAre("data noeol ab", "error noeol cd-"));
  EXPECT_EQ(got_.ends.size(), 1u);
}

TEST_F(OsProcessLines, WithoutAnEndComeWhenTheirStreamIsClosed) {
  running_with();
  host_.last().write(io::output::out, "ab");
  host_.last().observer->on_output_closed(io::output::out);
  run();
  EXPECT_THAT(got_.lines, ElementsAre("data noeol ab"));
  end(status, 0);
  EXPECT_EQ(got_.lines.size(), 1u);
}

TEST_F(OsProcessLines, UnfinishedGoToANewOwner) {
  running_with();
  host_.last().write(io::output::out, "a");
  run();
  owner::received second;
  auto heir = spawn<owner>(second);
  from_owner(actors::connect{heir});
  host_.last().write(io::output::out, "b\n");
  run();
  EXPECT_THAT(second.lines, ElementsAre("data eol ab"));
  EXPECT_TRUE(got_.lines.empty());
  tell(heir, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(OsProcessLines, AreSearchedForTheOneThatSaysReady) {
  actors::os_process_options options;
  options.ready = {actors::stdout_line{"is ready"}};
  options.stdout_delivery.what = delivery::kind::lines;
  running(std::move(options));
  host_.last().write(io::output::out, "one\nit is rea");
  run();
  EXPECT_TRUE(got_.signals.acks.empty());
  host_.last().write(io::output::out, "dy\n");
  run();
  EXPECT_EQ(got_.signals.acks.size(), 1u);
  EXPECT_THAT(got_.lines, ElementsAre("data eol one", "data eol it is ready"));
}

TEST_F(OsProcess, HasAWindowForEachStream) {
  actors::os_process_options options;
  options.stdout_window = 7;
  options.stderr_window = 9;
  running(std::move(options));
  EXPECT_EQ(host_.last().granted_out, 7u);
  EXPECT_EQ(host_.last().granted_err, 9u);
}

TEST_F(OsProcess, RefusesAWindowOfNothingAndABadDelivery) {
  using options = actors::os_process_options;
  for (const auto window :
       {&options::stdin_window, &options::stdout_window, &options::stderr_window}) {
    options with{{.program = "/bin/true"}};
    with.*window = 0;
    EXPECT_THROW(actors::validate(with), io::option_error);
  }
  for (const auto stream : {&options::stdout_delivery, &options::stderr_delivery}) {
    options with{{.program = "/bin/true"}};
    (with.*stream).what = delivery::kind::records;
    EXPECT_THROW(actors::validate(with), io::option_error);
  }
}

// -- the bound of stdin ---------------------------------------------------------------------------

TEST(InputBound, SaysBusyOnceUntilHalfIsTaken) {
  input_bound bound{10, 100};
  EXPECT_EQ(bound.add(10), input_notice::none);
  EXPECT_EQ(bound.add(1), input_notice::busy);
  EXPECT_EQ(bound.add(1), input_notice::none);
  EXPECT_EQ(bound.remove(6), input_notice::none);
  EXPECT_EQ(bound.add(20), input_notice::none) << "it was told";
  EXPECT_EQ(bound.remove(21), input_notice::ready);
  EXPECT_EQ(bound.remove(5), input_notice::none);
  EXPECT_EQ(bound.queued(), 0u);
}

TEST(InputBound, TakesASinglePieceOfAnySizeAndElseWhatFits) {
  input_bound bound{10, 100};
  EXPECT_TRUE(bound.takes(1000));
  bound.add(1);
  EXPECT_TRUE(bound.takes(99));
  EXPECT_FALSE(bound.takes(100));
  bound.add(99);
  EXPECT_FALSE(bound.takes(1));
  bound.add(1000);
  EXPECT_FALSE(bound.takes(1));
}

TEST(InputBound, TakesAWindowWhateverTheLimit) {
  constexpr auto all = std::numeric_limits<std::size_t>::max();
  input_bound bound{all, 0};
  bound.add(all - 5);
  EXPECT_TRUE(bound.takes(5));
}

class OsProcessInput : public OsProcess {
 protected:
  static constexpr std::size_t limit = 100'000;

  static actors::os_process_options with_window(std::size_t bytes) {
    actors::os_process_options options;
    options.stdin_window = bytes;
    options.stdin_limit = limit;
    return options;
  }

  void running_with_window(std::size_t bytes) { running(with_window(bytes)); }

  void write(std::size_t bytes) { from_owner(actors::command{std::vector<char>(bytes, 'x')}); }

  void taken(std::size_t bytes) {
    host_.last().observer->on_written(bytes);
    run();
  }
};

TEST_F(OsProcessInput, TellsItsOwnerWhenItIsBusyAndWhenItIsReadyAgain) {
  running_with_window(10);
  write(10);
  EXPECT_TRUE(got_.notices.empty());
  write(1);
  write(1);
  EXPECT_THAT(got_.notices, ElementsAre(tuple_of("stdin_busy"_a, 11)));
  taken(7);
  EXPECT_THAT(got_.notices, ElementsAre(tuple_of("stdin_busy"_a, 11), "stdin_ready"_a));
}

TEST_F(OsProcessInput, TellsANewOwnerThatItIsBusy) {
  running_with_window(1);
  write(2);
  owner::received second;
  auto heir = spawn<owner>(second);
  from_owner(actors::connect{heir});
  EXPECT_THAT(second.notices, ElementsAre(tuple_of("stdin_busy"_a, 2)));
  tell(heir, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(OsProcessInput, TellsTheSenderWhatItRefuses) {
  running_with_window(10);
  write(limit);
  owner::received other;
  auto stranger = spawn<owner>(other);
  tell(stranger, [&](probe& self) { actors::send(&self, child_, actors::command{{'a', 'b'}}); });
  EXPECT_THAT(other.notices, ElementsAre(tuple_of("stdin_refused"_a, 2, "eagain"_a)));
  EXPECT_EQ(host_.last().written.size(), limit);
  taken(2);
  tell(stranger, [&](probe& self) { actors::send(&self, child_, actors::command{{'a', 'b'}}); });
  EXPECT_EQ(host_.last().written.size(), limit + 2);
  EXPECT_THAT(got_.notices, ElementsAre(tuple_of("stdin_busy"_a, limit)));
  tell(stranger, [](probe& self) { self.exit(atoms::normal()); });
}

TEST_F(OsProcessInput, AnswersARequestThatItRefuses) {
  running_with_window(10);
  write(limit);
  term reason;
  tell(owner_, [&](probe& self) {
    actors::request(&self, child_, actors::command{{'a'}})
      .then([] {}, [&](const caf::error& e) { reason = actors::reason_from(e); });
  });
  EXPECT_EQ(reason, tuple_of("eagain"_a, "Resource temporarily unavailable"));
}

TEST_F(OsProcessInput, IsBoundedInCommandsTooSinceEachCostsMemory) {
  running_with_window(10);
  const auto most = actors::os_process_input::max_commands;
  tell(owner_, [&](probe& self) {
    for (std::size_t i = 0; i < most + 3; ++i)
      actors::send(&self, child_, actors::command{{'x'}});
  });
  EXPECT_EQ(host_.last().written.size(), most);
  EXPECT_EQ(got_.notices.size(), 4u) << "busy, and three that are refused";
}

TEST_F(OsProcessInput, WaitsForTheStartWithinItsBound) {
  start(with_window(10));
  write(limit);
  write(1);
  EXPECT_THAT(got_.notices, ElementsAre(tuple_of("stdin_busy"_a, limit),
                                        tuple_of("stdin_refused"_a, 1, "eagain"_a)));
}

TEST_F(OsProcessInput, TellsThatTheChildReadsNoMore) {
  running_with_window(1);
  write(3);
  host_.last().observer->on_stdin_closed(std::make_error_code(std::errc::broken_pipe));
  run();
  write(2);
  EXPECT_THAT(got_.notices, ElementsAre(tuple_of("stdin_busy"_a, 3), //
                                        tuple_of("stdin_closed"_a, "epipe"_a),
                                        tuple_of("stdin_refused"_a, 2, "epipe"_a)));
  host_.last().write(io::output::out, "it lives");
  run();
  EXPECT_EQ(got_.data, "it lives");
}

TEST_F(OsProcessInput, IsRefusedAfterTheEndOfFileAndTheEnd) {
  running_with_window(1);
  got_.consumes = false;
  from_owner(actors::close_stdin{});
  write(2);
  host_.last().write(io::output::out, std::string(70'000, 'x')); // holds the actor beyond the end
  end(status, 0);
  write(3);
  EXPECT_THAT(got_.notices, ElementsAre(tuple_of("stdin_refused"_a, 2, "epipe"_a),
                                        tuple_of("stdin_refused"_a, 3, "epipe"_a)));
}

} // namespace
} // namespace penning::test
