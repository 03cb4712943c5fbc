#include "processes.hpp"
#include "subprocess.hpp"
#include "terminal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/post.hpp>

#include <csignal>
#include <future>
#include <sys/wait.h>

using namespace penning::io;
using namespace penning::io::test;
using kind = exit_status::kind;
using testing::HasSubstr;
using testing::MatchesRegex;

namespace {

struct Pty : testing::Test {
  context host;

  /// Returns once everything posted before it has run on the context's thread.
  void barrier() {
    std::promise<void> done;
    boost::asio::post(host.asio(), [&] { done.set_value(); });
    done.get_future().wait();
  }

  /// What a script prints on the terminal before it ends.
  std::string output_of(const std::string& script, pty_options pty = {}) {
    auto child = bash_in(host, std::move(pty), script);
    EXPECT_TRUE(child->wait_end());
    return child->look().out;
  }
};

/// Any byte, so that a translation of any would show.
std::string every_byte(std::size_t count) {
  std::string result(count, '\0');
  for (std::size_t i = 0; i < count; ++i)
    result[i] = static_cast<char>(i * 7 % 256 + i / 65536);
  return result;
}

// ---- what a child is given ----

TEST_F(Pty, IsATerminalOnAllThreeStreams) {
  EXPECT_EQ(output_of("test -t 0 && test -t 1 && test -t 2 && echo yes"), "yes\r\n");
  EXPECT_THAT(output_of("tty"), MatchesRegex("/dev/pts/[0-9]+\r\n"));
}

TEST_F(Pty, IsTheControllingTerminalOfAnOwnSession) {
  // not bash, which would make it so by itself
  auto writer = start_in(host, {}, "dash", {"-c", "echo hello > /dev/tty"});
  ASSERT_TRUE(writer->wait_end());
  EXPECT_EQ(writer->look().out, "hello\r\n");
  auto child = bash_in(host, {}, "echo ready; read");
  ASSERT_TRUE(child->wait_text("ready"));
  auto pid = child->look().handle->pid();
  EXPECT_EQ(::getsid(pid), pid);
  EXPECT_EQ(::getpgid(pid), pid);
}

TEST_F(Pty, CarriesStderrAsStdout) {
  auto child = bash_in(host, {}, "echo out; echo err >&2");
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().out, "out\r\nerr\r\n");
  EXPECT_EQ(child->look().err, "");
}

TEST_F(Pty, HasTheSizeThatItWasGiven) {
  EXPECT_EQ(output_of("stty size"), "24 80\r\n");
  EXPECT_EQ(output_of("stty size", {.size = {.rows = 50, .columns = 132}}), "50 132\r\n");
}

TEST_F(Pty, HasTheModesThatItWasGiven) {
  auto shown = output_of("stty -a", {.modes = {{"echo", 0},
                                               {"OPOST", 0},
                                               {"IUTF8", 1},
                                               {"VINTR", 2},
                                               {"VQUIT", 255},
                                               {"TTY_OP_OSPEED", 9600}}});
  for (const char* mode : {" -echo ", "-opost", " iutf8", "intr = ^B", "quit = <undef>", "9600"})
    EXPECT_THAT(shown, HasSubstr(mode));
  EXPECT_THAT(output_of("stty -a"), HasSubstr(" echo "));
}

TEST_F(Pty, IsNotInheritedButAsTheThreeStreams) {
  auto child = start_in(host, {}, program("print_fds"));
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().out, "0\r\n1\r\n2\r\n");
}

TEST_F(Pty, ChangesItsSizeAndTellsTheChild) {
  auto child = start_in(host, {}, program("tells_size"));
  ASSERT_TRUE(child->wait_text("24 80\r\n"));
  child->look().handle->resize({.rows = 30, .columns = 100, .x_pixels = 1});
  EXPECT_TRUE(child->wait_text("30 100\r\n"));
  child->look().handle->resize({.rows = 31, .columns = 101});
  EXPECT_TRUE(child->wait_text("31 101\r\n"));
}

TEST_F(Pty, MakesSignalsOfControlCharacters) {
  auto child = start_in(host, {}, program("never_reads"));
  ASSERT_TRUE(child->wait_text("ready"));
  child->look().handle->write(bytes("\x03"));
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().end->status, (exit_status{kind::signal, SIGINT, false}));
}

// ---- the streams ----

TEST_F(Pty, EchoesWhatIsTyped) {
  auto child = start_in(host, {}, "cat");
  ASSERT_TRUE(child->wait_started());
  child->look().handle->write(bytes("hello\n"));
  EXPECT_TRUE(child->wait_text("hello\r\nhello\r\n"));
}

TEST_F(Pty, LosesNothingOfAMebibyteInEachDirection) {
  auto sent = every_byte(1024 * 1024);
  auto child = start_in(host, raw(), "head", {"-c", std::to_string(sent.size())}, 10'000);
  ASSERT_TRUE(child->wait_started());
  child->look().handle->write(bytes(sent));
  ASSERT_TRUE(child->wait_end());
  EXPECT_TRUE(child->look().out == sent) << child->look().out.size();
  EXPECT_EQ(child->look().written, sent.size());
  EXPECT_EQ(child->look().end->status, exit_status{});
}

TEST_F(Pty, LosesNothingOfAThousandChildrenThatWriteAndExit) {
  live_at_once(host, 2);
  barrier();
  auto descriptors = open_descriptors();
  for (int round = 0; round < 1000; ++round) {
    // as much as a terminal holds while nobody reads, and much more
    auto all = start_in(host, {}, program("flood"), {"8000"}, 0);
    auto more = start_in(host, {}, program("writes_both"), {"30000", "3"}, 16'000);
    ASSERT_TRUE(all->wait_end() && more->wait_end());
    ASSERT_EQ(all->look().out.size(), 8000U);
    ASSERT_EQ(more->look().out.size(), 60'000U);
    EXPECT_EQ(more->look().end->status.code, 3);
  }
  barrier();
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_TRUE(only_guardians_left());
}

TEST_F(Pty, ReadsNoByteMoreThanItsWindow) {
  auto child = std::make_shared<recorder>(10'000);
  child->gives_back = false;
  host.start({.program = program("flood"), .args = {"1000000"}, .pty = raw()}, child);
  ASSERT_TRUE(child->wait([](auto& x) { return x.out.size() >= 10'000; }));
  for (int i = 0; i < 100; ++i)
    barrier();
  EXPECT_EQ(child->look().out.size(), 10'000U);
  child->look().handle->grant(output::out, 5);
  ASSERT_TRUE(child->wait([](auto& x) { return x.out.size() >= 10'005; }));
  barrier();
  EXPECT_EQ(child->look().out.size(), 10'005U);
}

TEST_F(Pty, EndsItsInputWithACharacter) {
  for (const char* text : {"", "line\n", "line\nand a half"}) {
    auto child = start_in(host, quiet(), "cat");
    ASSERT_TRUE(child->wait_started());
    child->look().handle->write(bytes(text));
    child->look().handle->close_stdin();
    child->look().handle->write(bytes("too late\n"));
    ASSERT_TRUE(child->wait_end());
    std::string seen = child->look().out;
    std::erase(seen, '\r');
    EXPECT_EQ(seen, text);
    EXPECT_EQ(child->look().written, std::string_view(text).size());
    EXPECT_EQ(child->look().end->status, exit_status{});
  }
}

TEST_F(Pty, EndsItsInputAfterAllThatIsQueued) {
  auto child = start_in(host, quiet(), "wc", {"-c"});
  ASSERT_TRUE(child->wait_started());
  std::string line(100, 'x');
  line.back() = '\n';
  for (int i = 0; i < 10'000; ++i)
    child->look().handle->write(bytes(line));
  child->look().handle->close_stdin();
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().out, "1000000\r\n");
  EXPECT_EQ(child->look().written, 1'000'000U);
}

TEST_F(Pty, EndsItsInputByTheCharacterThatItHasNow) {
  auto child = bash_in(host, {}, "stty -echo eof ^B; echo ready; cat; echo done");
  ASSERT_TRUE(child->wait_text("ready\r\n"));
  child->look().handle->close_stdin();
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().out, "ready\r\ndone\r\n");
}

TEST_F(Pty, LetsAChildThatNeverReadsStallNobodyElse) {
  auto stuck = start_in(host, raw(), program("never_reads"));
  auto other = start_in(host, raw(), "cat");
  ASSERT_TRUE(stuck->wait_text("ready") && other->wait_started());
  for (int i = 0; i < 100; ++i)
    stuck->look().handle->write(std::vector<char>(1024 * 1024, 'x'));
  for (int i = 0; i < 100; ++i) {
    auto line = "line " + std::to_string(i) + "\n";
    other->look().handle->write(bytes(line));
    ASSERT_TRUE(other->wait_text(line));
  }
  EXPECT_LE(stuck->look().written, 65536U);
  stuck->look().handle->signal(SIGTERM, signal_target::leader);
  ASSERT_TRUE(stuck->wait_end());
  EXPECT_EQ(stuck->look().end->status.code, SIGTERM);
}

TEST_F(Pty, TakesALineThatIsTooLongAndStillHearsOfAnInterrupt) {
  auto child = start_in(host, quiet(), program("never_reads"));
  ASSERT_TRUE(child->wait_text("ready"));
  child->look().handle->write(std::vector<char>(1024 * 1024, 'x'));
  child->look().handle->write(bytes("\x03"));
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().end->status.code, SIGINT);
}

TEST_F(Pty, TellsWhenTheChildHasLetGoOfIt) {
  auto child = start_in(host, {}, program("closes"), {"0", "1", "2"});
  ASSERT_TRUE(child->wait([](auto& x) { return x.out_closed; }));
  child->look().handle->write(bytes("x"));
  ASSERT_TRUE(child->wait([](auto& x) { return x.stdin_closed.has_value(); }));
  EXPECT_EQ(*child->look().stdin_closed, std::errc::io_error);
  EXPECT_FALSE(child->look().end);
}

// ---- the end ----

TEST_F(Pty, HangsUp) {
  auto child = start_in(host, {}, program("never_reads"));
  ASSERT_TRUE(child->wait_text("ready"));
  child->look().handle->hang_up();
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().end->status, (exit_status{kind::signal, SIGHUP, false}));
  EXPECT_TRUE(child->look().out_closed);
  EXPECT_EQ(*child->look().stdin_closed, std::errc::io_error);
}

TEST_F(Pty, HangsUpOnAChildThatIsDeafToIt) {
  auto child = bash_in(host, {}, "trap '' HUP; echo ready; read line || exit 5");
  ASSERT_TRUE(child->wait_text("ready"));
  child->look().handle->hang_up();
  child->look().handle->hang_up();
  child->look().handle->write(bytes("in vain\n"));
  child->look().handle->resize({});
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().end->status, (exit_status{kind::status, 5, false}));
  EXPECT_EQ(std::ranges::count(child->look().calls, "output_closed"), 1);
  EXPECT_EQ(std::ranges::count(child->look().calls, "stdin_closed"), 1);
}

TEST_F(Pty, DeliversWhatItHoldsBeforeItHangsUp) {
  // given a child that has written and is not read
  auto child = std::make_shared<recorder>(0);
  host.start({.program = "bash",
              .args = {"-c", "head -c 8000 /dev/zero; kill -STOP $$"},
              .pty = pty_options{}},
             child);
  ASSERT_TRUE(child->wait_started());
  siginfo_t info{};
  auto pid = static_cast<id_t>(child->look().handle->pid());
  ASSERT_EQ(::waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT), 0);
  EXPECT_EQ(child->look().out, "");
  // when its terminal hangs up
  child->look().handle->hang_up();
  ASSERT_TRUE(child->wait([](auto& x) { return x.out_closed; }));
  // then all of it has come, and it is woken to hear of it
  EXPECT_EQ(child->look().out, std::string(8000, '\0'));
  ASSERT_TRUE(child->wait_end());
  EXPECT_EQ(child->look().end->status.code, SIGHUP);
}

TEST_F(Pty, WithoutOneAHangUpAndAResizeDoNothing) {
  auto child = started(host, "/bin/cat");
  child->look().handle->hang_up();
  child->look().handle->resize({});
  child->look().handle->write(bytes("still here\n"));
  EXPECT_TRUE(child->wait_text("still here\n"));
}

TEST_F(Pty, IsGoneAfterTheEndForWhoeverIsLeft) {
  // given a job in a group of its own, which writes until it can write no more
  auto child = bash_in(host, {},
                       "set -m; trap '' HUP; "
                       "(echo pid $BASHPID; while echo x; do :; done) 2>/dev/null & read");
  ASSERT_TRUE(child->wait_text("x\r\n"));
  auto out = child->look().out;
  held_process job(std::stoi(out.substr(out.find("pid ") + 4)));
  EXPECT_TRUE(job.alive());
  auto handle = child->look().handle; // which keeps nothing open
  handle->signal(SIGKILL, signal_target::leader);
  ASSERT_TRUE(child->wait_end());
  EXPECT_TRUE(job.dies_within(deadline));
}

} // namespace
