#include "support/deterministic.hpp"
#include "support/recording_host.hpp"

#include <penning/actors/port_worker.hpp>

#include <csignal>
#include <functional>
#include <string>

namespace penning::test {
namespace {

using namespace actors;

/// What a test wants its callback module to do, and what it was asked.
struct script {
  std::vector<std::string> calls;
  std::function<init_result()> init = [] { return next_step{}; };
  std::function<callback_result(const term&)> call = [](const term& r) { return reply{r, {}}; };
  std::function<callback_result(std::string)> stdout_ = [](const std::string&) {
    return noreply{};
  };
  std::function<callback_result(const term&)> exit_ = [](const term& r) { return stop{r, {}}; };
  std::function<callback_result(const term&)> continue_ = [](const term&) { return noreply{}; };
};

class module : public port_module {
 public:
  explicit module(script& s) : script_{s} {}

  init_result init() override {
    script_.calls.emplace_back("init");
    return script_.init();
  }
  callback_result handle_stdout(std::vector<char> bytes) override {
    const std::string text{bytes.begin(), bytes.end()};
    script_.calls.push_back("stdout " + text);
    return script_.stdout_(text);
  }
  callback_result handle_stderr(std::vector<char> bytes) override {
    script_.calls.push_back("stderr " + std::string{bytes.begin(), bytes.end()});
    return noreply{};
  }
  callback_result handle_exit(const term& reason) override {
    script_.calls.push_back("exit " + to_string(reason));
    return script_.exit_(reason);
  }
  callback_result handle_call(const term& request, pending_answer&) override {
    script_.calls.push_back("call " + to_string(request));
    return script_.call(request);
  }
  callback_result handle_cast(const term& request) override {
    script_.calls.push_back("cast " + to_string(request));
    port().command({'x'});
    return noreply{};
  }
  callback_result handle_info(const term& message) override {
    script_.calls.push_back("info " + to_string(message));
    return noreply{};
  }
  callback_result handle_continue(const term& continuation) override {
    script_.calls.push_back("continue " + to_string(continuation));
    return script_.continue_(continuation);
  }
  void terminate(const term& reason) override {
    script_.calls.push_back("terminate " + to_string(reason));
  }

 private:
  script& script_;
};

class PortWorker : public deterministic {
 protected:
  using calls = std::vector<std::string>;

  PortWorker() { parent_ = spawn<probe>(log_, true); }

  ~PortWorker() override {
    actors::send_exit(parent_, {}, atoms::kill());
    run();
    for (auto& record : host_.children)
      if (record->observer)
        record->end({io::exit_status::kind::signal, SIGKILL, false});
    run();
  }

  void start(std::function<std::unique_ptr<port_module>()> factory = {}) {
    if (!factory)
      factory = [this] { return std::make_unique<module>(script_); };
    os_process_options options;
    options.program = "/bin/true";
    options.ready = ready_;
    post(parent_, probe::step{[&](probe& self) {
           start_ = self.start_link<port_worker>(host_, options, factory);
         }});
    run();
    worker_ = start_.pid;
  }

  void running() {
    start();
    host_.last().start();
    run();
    script_.calls.clear();
  }

  template <class Message>
  void send_worker(Message message) {
    post(worker_, std::move(message));
    run();
  }

  script script_;
  std::optional<readiness> ready_;
  probe::log log_;
  recording_host host_;
  caf::actor parent_, worker_;
  started start_;
};

TEST_F(PortWorker, IsUpOnceItsProgramRuns) {
  start();
  EXPECT_EQ(script_.calls, calls{"init"});
  EXPECT_TRUE(log_.acks.empty());
  host_.last().start();
  run();
  ASSERT_EQ(log_.acks.size(), 1u);
  EXPECT_EQ(log_.acks[0].second.how, start_result::kind::ok);
  EXPECT_EQ(log_.acks[0].second.value, 4711);
}

TEST_F(PortWorker, IsUpOnceItsProgramIsReadyAndHandlesOutputBefore) {
  ready_ = {stdout_line{"ready"}};
  start();
  host_.last().start();
  host_.last().write(io::output::out, "loading\n");
  run();
  EXPECT_TRUE(log_.acks.empty());
  host_.last().write(io::output::out, "ready\n");
  run();
  EXPECT_EQ(script_.calls, (calls{"init", "stdout loading\n", "stdout ready\n"}));
  ASSERT_EQ(log_.acks.size(), 1u);
  EXPECT_EQ(log_.acks[0].second.how, start_result::kind::ok);
}

TEST_F(PortWorker, FailsToStartIfItsProgramEndsBeforeItIsReady) {
  ready_ = {stdout_line{"ready"}};
  start();
  host_.last().start();
  host_.last().end({io::exit_status::kind::status, 3, false});
  run();
  EXPECT_TRUE(log_.acks.empty());
  ASSERT_EQ(log_.exits.size(), 1u) << "which is a start that failed";
  EXPECT_EQ(log_.exits[0].second, tuple_of("exit_status"_a, 3));
}

TEST_F(PortWorker, StartsNothingWhenInitRefuses) {
  script_.init = [] { return stop{"no"_a, {}}; };
  start();
  EXPECT_TRUE(host_.children.empty());
  EXPECT_EQ(start_.result.how, start_result::kind::stop);
  EXPECT_EQ(start_.result.value, "no"_a);
}

TEST_F(PortWorker, StartsNothingWhenInitIgnores) {
  script_.init = [] { return ignore{}; };
  start();
  EXPECT_TRUE(host_.children.empty());
  EXPECT_EQ(start_.result.how, start_result::kind::ignore);
}

TEST_F(PortWorker, FailsToStartAsItsProgramDoes) {
  start();
  host_.last().observer->on_start_failed(std::make_error_code(std::errc::permission_denied), "x");
  run();
  ASSERT_EQ(log_.acks.size(), 1u);
  EXPECT_EQ(log_.acks[0].second.how, start_result::kind::stop);
  EXPECT_EQ(log_.acks[0].second.value, tuple_of("eacces"_a, "x: Permission denied"));
}

TEST_F(PortWorker, HandlesOutputAndThenTheEnd) {
  running();
  host_.last().write(io::output::out, "one");
  host_.last().write(io::output::err, "two");
  host_.last().end({io::exit_status::kind::status, 3, false});
  run();
  EXPECT_EQ(script_.calls, (calls{"stdout one", "stderr two", "exit {exit_status,3}",
                                  "terminate {exit_status,3}"}));
  ASSERT_EQ(log_.exits.size(), 1u);
  EXPECT_EQ(log_.exits[0].second, tuple_of("exit_status"_a, 3));
}

TEST_F(PortWorker, StopsItsProgramBeforeItEndsItself) {
  running();
  script_.stdout_ = [](const std::string&) { return stop{"enough"_a, {}}; };
  host_.last().write(io::output::out, "one");
  run();
  EXPECT_TRUE(log_.exits.empty()) << "its program still runs";
  EXPECT_EQ(host_.last().signals.at(0).first, SIGTERM);
  host_.last().write(io::output::out, "late");
  host_.last().end({io::exit_status::kind::signal, SIGTERM, false});
  run();
  ASSERT_EQ(log_.exits.size(), 1u);
  EXPECT_EQ(log_.exits[0].second, "enough"_a);
  EXPECT_EQ(script_.calls, (calls{"stdout one", "terminate enough"}));
}

TEST_F(PortWorker, EndsAsItsParentDoesOnceItsProgramIsGone) {
  running();
  send_exit(worker_, parent_.address(), atoms::shutdown());
  run();
  EXPECT_EQ(host_.last().signals.at(0).first, SIGTERM);
  EXPECT_TRUE(log_.exits.empty());
  host_.last().end({io::exit_status::kind::signal, SIGTERM, false});
  run();
  ASSERT_EQ(log_.exits.size(), 1u);
  EXPECT_EQ(log_.exits[0].second, atoms::shutdown());
}

TEST_F(PortWorker, KilledKillsItsProgramFirst) {
  running();
  send_exit(worker_, {}, atoms::kill());
  run();
  EXPECT_EQ(host_.last().signals.at(0).first, SIGKILL);
  EXPECT_TRUE(log_.exits.empty());
  host_.last().end({io::exit_status::kind::signal, SIGKILL, false});
  run();
  ASSERT_EQ(log_.exits.size(), 1u);
  EXPECT_EQ(log_.exits[0].second, atoms::killed());
  EXPECT_TRUE(script_.calls.empty()) << "as in OTP, no terminate";
}

TEST_F(PortWorker, AnswersCallsAndTakesCastsAndTerms) {
  running();
  std::optional<term> answer;
  post(parent_, probe::step{[&](probe& self) {
         request(&self, worker_, call{"ping"_a}).then([&](const term& t) { answer = t; });
       }});
  run();
  EXPECT_EQ(answer, "ping"_a);
  send_worker(cast{"go"_a});
  EXPECT_EQ(host_.last().written, "x");
  send_worker(term{"hello"_a});
  EXPECT_EQ(script_.calls, (calls{"call ping", "cast go", "info hello"}));
}

TEST_F(PortWorker, GetsATimeoutUnlessAMessageComesFirst) {
  running();
  script_.call = [](const term& r) { return reply{r, {100ms, {}}}; };
  send_worker(call{"a"_a});
  advance(99ms);
  send_worker(term{"b"_a}); // takes the timeout back
  advance(1000ms);
  EXPECT_EQ(script_.calls, (calls{"call a", "info b"}));
  send_worker(call{"c"_a});
  advance(100ms);
  EXPECT_EQ(script_.calls.back(), "info timeout");
}

TEST_F(PortWorker, ContinuesBeforeAnyMessage) {
  running();
  script_.call = [](const term& r) { return reply{r, {{}, term{1}}}; };
  script_.continue_ = [](const term& t) -> callback_result {
    return t == term{1} ? noreply{{{}, term{2}}} : noreply{};
  };
  post(worker_, call{"a"_a});
  post(worker_, term{"b"_a});
  run();
  EXPECT_EQ(script_.calls, (calls{"call a", "continue 1", "continue 2", "info b"}));
}

TEST_F(PortWorker, ThatThrowsStopsItsProgramBeforeItEnds) {
  running();
  script_.stdout_ = [](const std::string&) -> callback_result {
    throw std::runtime_error{"broken"};
  };
  host_.last().write(io::output::out, "one");
  run();
  EXPECT_TRUE(log_.exits.empty());
  host_.last().end({io::exit_status::kind::signal, SIGTERM, false});
  run();
  ASSERT_EQ(log_.exits.size(), 1u);
  EXPECT_EQ(log_.exits[0].second, tuple_of("exception"_a, "broken"));
}

TEST_F(PortWorker, AnswersACallerWhomItsModuleForgets) {
  running();
  std::vector<term> answers;
  const auto ask = [&](probe& self) {
    request(&self, worker_, call{"x"_a})
      .then([](const term&) {}, [&](const caf::error& e) { answers.push_back(reason_from(e)); });
  };
  script_.call = [](const term&) { return noreply{}; };
  post(parent_, probe::step{ask});
  run();
  EXPECT_EQ(answers, std::vector<term>{atoms::noproc()}) << "nobody kept the answer";
  script_.call = [](const term&) { return stop{"enough"_a, {}}; };
  post(parent_, probe::step{ask});
  run();
  EXPECT_EQ(answers.back(), term{"enough"_a});
  post(parent_, probe::step{ask});
  run();
  EXPECT_EQ(answers.size(), 3u) << "it is stopping";
}

TEST_F(PortWorker, HandlesTheContinueOfInitBeforeWhatCameWhileItStarted) {
  script_.init = [] { return next_step{{}, term{1}}; };
  start();
  send_worker(cast{"early"_a});
  EXPECT_EQ(script_.calls, calls{"init"});
  host_.last().start();
  run();
  EXPECT_EQ(script_.calls, (calls{"init", "continue 1", "cast early"}));
}

/// Overrides nothing: every callback is optional.
class silent : public port_module {};

TEST_F(PortWorker, NeedsNoCallbackAtAll) {
  start([] { return std::make_unique<silent>(); });
  host_.last().start();
  host_.last().write(io::output::out, "one");
  host_.last().write(io::output::err, "two");
  run();
  host_.last().end({io::exit_status::kind::status, 0, false});
  run();
  ASSERT_EQ(log_.exits.size(), 1u);
  EXPECT_EQ(log_.exits[0].second, atoms::normal());
}

} // namespace
} // namespace penning::test
