#include "journal.hpp"
#include "line_writer.hpp"
#include "support/deterministic.hpp"

#include <gmock/gmock.h>

namespace penning::test {
namespace {

using namespace apps;
using supervision::child_type;
using supervision::report;
using supervision::report_kind;
using testing::ElementsAre;
using testing::IsEmpty;

/// Takes lines; while it is slow, it answers only when it is told to.
class slow_writer : public actors::process {
 public:
  struct log {
    std::vector<std::string> texts;
    bool slow = false;
  };

  slow_writer(caf::actor_config& config, log& remembered) : process{config}, log_{remembered} {}

 protected:
  caf::message_handler receive() override {
    return {
      [this](write_text& message) -> caf::result<void> {
        if (!message.text.empty())
          log_.texts.push_back(std::move(message.text));
        if (!log_.slow)
          return caf::unit;
        open_.push_back(make_response_promise());
        return open_.back();
      },
      [this](const term&) {
        for (auto& each : std::exchange(open_, {}))
          each.deliver(caf::unit);
      },
    };
  }

 private:
  log& log_;
  std::vector<caf::response_promise> open_;
};

/// Id, kind and text of each event, as a log.
std::string short_format(const log_event& event) {
  static constexpr std::array names{"note", "started", "restarted", "out", "err"};
  const auto kind = static_cast<std::size_t>(event.kind);
  return event.id + " " + (kind < names.size() ? names[kind] : "other") + " " + event.text;
}

class Journal : public deterministic {
 protected:
  Journal() {
    child = spawn<probe>(child_log);
    actors::post(journal, child_announced{"a", child.address(), child_type::worker});
  }
  ~Journal() override {
    for (auto* actor : {&child, &journal, &writer})
      actors::send_exit(*actor, {}, atoms::kill());
    run();
  }

  void write(const std::string& text) {
    actors::post(
      child, probe::step{[=, this](probe& self) {
        actors::request(&self, journal, actors::data{{text.begin(), text.end()}}).then([this] {
          ++taken;
        });
      }});
    run();
  }

  void report_start() {
    actors::post(
      journal,
      report{.kind = report_kind::progress, .id = "a", .pid = child.address(), .info = 42});
    run();
  }

  slow_writer::log written;
  caf::actor writer = spawn<slow_writer>(written);
  caf::actor journal = spawn<apps::journal>(writer, short_format);
  probe::log child_log;
  caf::actor child;
  int taken = 0; // chunks of output that the child may write more for
};

TEST_F(Journal, OutputThatOvertakesTheReportOfAStartIsLoggedAfterIt) {
  write("early\n");
  EXPECT_THAT(written.texts, IsEmpty());
  EXPECT_EQ(taken, 0);
  report_start();
  EXPECT_THAT(written.texts, ElementsAre("a started ", "a out early"));
  EXPECT_EQ(taken, 1);
}

TEST_F(Journal, ChildWaitsUntilItsLinesAreWritten) {
  report_start();
  written.slow = true;
  write("x\n");
  EXPECT_EQ(taken, 0);
  actors::post(writer, term{"answer"_a});
  run();
  EXPECT_EQ(taken, 1);
}

TEST_F(Journal, UnfinishedLineComesWithTheEnd) {
  report_start();
  write("half");
  EXPECT_THAT(written.texts, ElementsAre("a started "));
  EXPECT_EQ(taken, 1); // it is kept within the bound of a line
  actors::post(child, probe::step{[this](probe& self) {
                 actors::send(&self, journal, actors::exited{42, {}, {}});
               }});
  run();
  EXPECT_THAT(written.texts, ElementsAre("a started ", "a out half", "a other "));
}

TEST_F(Journal, FinishesOnceEveryChildHasEnded) {
  bool finished = false;
  auto asker = spawn<probe>(child_log);
  actors::post(asker, probe::step{[&](probe& self) {
                 actors::request(&self, journal, finish{}).then([&] { finished = true; });
               }});
  write("never reported");
  EXPECT_FALSE(finished);
  actors::send_exit(child, {}, "crash"_a);
  run();
  EXPECT_TRUE(finished);
  EXPECT_THAT(written.texts, ElementsAre("a out never reported"));
  actors::send_exit(asker, {}, atoms::kill());
}

TEST_F(Journal, CountsRestarts) {
  report_start();
  report_start();
  EXPECT_THAT(written.texts, ElementsAre("a started ", "a restarted "));
}

} // namespace
} // namespace penning::test
