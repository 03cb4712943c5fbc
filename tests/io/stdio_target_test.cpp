#include "processes.hpp"
#include "recorder.hpp"
#include "refusal.hpp"
#include "status_of_child.hpp"
#include "subprocess.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/post.hpp>

#include <csignal>
#include <future>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace penning::io;
using namespace penning::io::test;
namespace fs = std::filesystem;

namespace {

using calls = std::vector<std::string>;

struct StdioTarget : testing::Test {
  fs::path folder = fs::path(testing::TempDir()) / ("penning stdio " + std::to_string(getpid()));

  StdioTarget() { fs::create_directories(folder); }
  ~StdioTarget() override { fs::remove_all(folder); }

  std::string path(const std::string& name) const { return folder / name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }
  std::string read(const std::string& name) const { return read_file(path(name)); }
};

struct StdioOfAChild : StdioTarget {
  context host;
};

launch_options shell(const std::string& script) {
  return {.program = "/bin/sh", .args = {"-c", script}};
}
launch_options from(stdio_target target) {
  launch_options result{.program = "/bin/cat"};
  result.stdin = std::move(target);
  return result;
}
launch_options into(stdio_target out, stdio_target err = to_owner{}) {
  auto result = shell("echo out; echo err >&2");
  result.stdout = std::move(out);
  result.stderr = std::move(err);
  return result;
}

/// A program that tells on stderr what one of its descriptors is. (A redirection of a command in it
/// would change the shell's own.)
launch_options look_at(int fd) {
  auto number = std::to_string(fd);
  return shell("x=$(readlink /proc/$$/fd/" + number + "; cat /proc/$$/fdinfo/" + number
               + "); echo \"$x\" >&2");
}
int flags_in(const std::string& seen) {
  auto flags = std::stoi(status_of_child(seen)["flags"], nullptr, 8);
  return flags & (O_ACCMODE | O_APPEND | O_NONBLOCK);
}

// ---- what is refused ----

TEST_F(StdioTarget, IsRefusedNamingTheStreamAndThePath) {
  const std::string nul("a\0b", 3);
  EXPECT_EQ(refusal(from(to_file{""})), "stdin||a file needs a path");
  EXPECT_EQ(refusal(from(to_file{nul})), "stdin|" + nul + "|contains a NUL byte");
  EXPECT_EQ(refusal(from(to_file{"/nosuch"})), "stdin|/nosuch|No such file or directory");
  EXPECT_EQ(refusal(from(to_file{folder})), "stdin|" + folder.string() + "|Is a directory");
  EXPECT_EQ(refusal(from(to_file{"/dev/null/x"})), "stdin|/dev/null/x|Not a directory");
  EXPECT_EQ(refusal(into(to_file{nul})), "stdout|" + nul + "|contains a NUL byte");
  EXPECT_EQ(refusal(into(to_file{folder})), "stdout|" + folder.string() + "|Is a directory");
  EXPECT_EQ(refusal(into(to_file{"/nosuch/x"})), "stdout|/nosuch/x|No such file or directory");
  EXPECT_EQ(refusal(into(to_owner{}, to_file{"/nosuch/x"})),
            "stderr|/nosuch/x|No such file or directory");
  EXPECT_EQ(refusal(into(to_file{path("new"), false, 010000})),
            "stdout|" + path("new") + "|the mode 4096 must be 0 to 4095 (octal 7777)");
  EXPECT_FALSE(fs::exists(path("new")));
}

TEST_F(StdioTarget, IsStdoutForStderrOnly) {
  EXPECT_EQ(refusal(from(to_stdout{})), "stdin|stdout|only stderr can go where stdout goes");
  EXPECT_EQ(refusal(into(to_stdout{})), "stdout|stdout|only stderr can go where stdout goes");
  EXPECT_EQ(refusal(into(to_null{}, to_stdout{})), "");
}

TEST_F(StdioTarget, IsRelativeToTheWorkingDirectory) {
  write("here", "");
  auto options = from(to_file{"here"});
  EXPECT_EQ(refusal(options), "stdin|here|No such file or directory");
  options.cd = folder;
  EXPECT_EQ(refusal(options), "");
  options = into(to_file{"new"});
  options.cd = folder;
  EXPECT_EQ(refusal(options), "");
  options.stdout = to_file{"nosuch/new"};
  EXPECT_EQ(refusal(options), "stdout|nosuch/new|No such file or directory");
}

// ---- nothing is piped that the owner does not want ----

TEST_F(StdioOfAChild, IsNotHeardOfWhenItIsNull) {
  auto options = into(to_null{}, to_null{});
  options.stdin = to_null{};
  auto seen = finished(host, options);
  EXPECT_EQ(seen.calls, (calls{"started", "end"}));
  EXPECT_EQ(seen.end->status, exit_status{});
}

TEST_F(StdioOfAChild, IsTheNullDeviceReadOrWritten) {
  for (int fd : {0, 1}) {
    auto options = look_at(fd);
    options.stdin = options.stdout = to_null{};
    auto seen = finished(host, options).err;
    EXPECT_THAT(seen, testing::StartsWith("/dev/null\n"));
    EXPECT_EQ(flags_in(seen), fd == 0 ? O_RDONLY : O_WRONLY);
  }
}

TEST_F(StdioOfAChild, IsClosedWhenItIsNothing) {
  launch_options options{.program = program("print_fds")};
  options.stdin = options.stderr = to_nothing{};
  EXPECT_EQ(finished(host, options).out, "1\n");
  options.stdin = to_owner{};
  EXPECT_EQ(finished(host, options).out, "0\n1\n");
  // and to write to it fails
  options = shell("echo x || echo failed >&2");
  options.stdout = to_nothing{};
  EXPECT_THAT(finished(host, options).err, testing::EndsWith("failed\n"));
}

TEST_F(StdioOfAChild, TellsOnceThatItsStdinIsNotTheOwners) {
  for (stdio_target target : {stdio_target(to_null{}), stdio_target(to_nothing{})}) {
    launch_options options{.program = program("never_reads")};
    options.stdin = target;
    options.stdout = options.stderr = to_null{};
    auto child = std::make_shared<recorder>();
    host.start(options, child);
    ASSERT_TRUE(child->wait_started());
    child->look().handle->write(bytes("x"));
    child->look().handle->write(bytes("y"));
    child->look().handle->close_stdin();
    ASSERT_TRUE(child->wait([](auto& x) { return x.stdin_closed.has_value(); }));
    EXPECT_EQ(child->look().stdin_closed->value(), EBADF);
    child->look().handle->signal(SIGKILL, signal_target::leader);
    ASSERT_TRUE(child->wait_end());
    EXPECT_EQ(child->look().calls, (calls{"started", "stdin_closed", "end"}));
  }
}

// ---- files ----

TEST_F(StdioOfAChild, IsReadFromAFileOfTheWorkingDirectory) {
  write("input", "hello\n");
  auto options = from(to_file{"input"});
  options.cd = folder;
  auto seen = finished(host, options);
  EXPECT_EQ(seen.out, "hello\n");
  EXPECT_EQ(read("input"), "hello\n");
}

TEST_F(StdioOfAChild, IsWrittenToAFileInPlaceOfWhatWasInIt) {
  write("out", "much that was there before\n");
  auto seen = finished(host, into(to_file{path("out")}, to_file{path("err")}));
  EXPECT_EQ(seen.calls, (calls{"started", "end"}));
  EXPECT_EQ(read("out"), "out\n");
  EXPECT_EQ(read("err"), "err\n");
}

TEST_F(StdioOfAChild, IsAppendedToAFile) {
  write("log", "before\n");
  for (int round = 0; round < 3; ++round)
    finished(host, into(to_file{path("log"), true}, to_file{path("log"), true}));
  EXPECT_EQ(read("log"), "before\nout\nerr\nout\nerr\nout\nerr\n");
}

TEST_F(StdioOfAChild, CreatesAFileWithItsModeUnderTheUmaskOfTheRuntime) {
  auto before = ::umask(027);
  auto options = into(to_file{path("by default")}, to_file{path("secret"), false, 0606});
  options.umask = 0; // of the child: not asked
  finished(host, options);
  ::umask(before);
  EXPECT_EQ(fs::status(path("by default")).permissions(), fs::perms(0640));
  EXPECT_EQ(fs::status(path("secret")).permissions(), fs::perms(0600));
}

// O_NONBLOCK (04000), with which it was opened, would make the child's writes fail.
TEST_F(StdioOfAChild, IsAFileThatBlocksAsAChildExpects) {
  auto options = look_at(1);
  options.stdout = to_file{path("out")};
  EXPECT_EQ(flags_in(finished(host, options).err), O_WRONLY);
  options.stdout = to_file{path("out"), true};
  EXPECT_EQ(flags_in(finished(host, options).err), O_WRONLY | O_APPEND);
}

TEST_F(StdioOfAChild, OpensAFileThatOnlyTheRuntimeMayOpen) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "only root can change the user of a child";
  auto options = into(to_file{path("out"), false, 0600});
  options.uid = "nobody";
  EXPECT_EQ(finished(host, options).end->status, exit_status{});
  EXPECT_EQ(read("out"), "out\n");
}

// ---- stderr where stdout goes ----

TEST_F(StdioOfAChild, BringsStderrWithStdoutInTheOrderOfItsWriting) {
  auto options = shell("for i in 1 2 3; do echo out$i; echo err$i >&2; done");
  options.stderr = to_stdout{};
  auto seen = finished(host, options);
  EXPECT_EQ(seen.out, "out1\nerr1\nout2\nerr2\nout3\nerr3\n");
  EXPECT_EQ(seen.err, "");
  EXPECT_FALSE(seen.err_closed);
}

TEST_F(StdioOfAChild, LosesNothingOfStdoutAndStderrInOnePipe) {
  launch_options options{.program = program("writes_both"), .args = {"1048576", "3"}};
  options.stderr = to_stdout{};
  auto child = std::make_shared<recorder>(10 * 1024);
  host.start(options, child);
  ASSERT_TRUE(child->wait_end());
  auto seen = child->look();
  EXPECT_EQ(std::count(seen.out.begin(), seen.out.end(), 'o'), 1048576);
  EXPECT_EQ(std::count(seen.out.begin(), seen.out.end(), 'e'), 1048576);
  EXPECT_EQ(seen.end->status.code, 3);
}

TEST_F(StdioOfAChild, SendsStderrWhereverStdoutGoes) {
  finished(host, into(to_file{path("both")}, to_stdout{}));
  EXPECT_EQ(read("both"), "out\nerr\n");
  EXPECT_EQ(finished(host, into(to_null{}, to_stdout{})).calls, (calls{"started", "end"}));
  launch_options nowhere{.program = "/bin/sh", .args = {"-c", "test ! -e /proc/$$/fd/2"}};
  nowhere.stdout = to_nothing{};
  nowhere.stderr = to_stdout{};
  EXPECT_EQ(finished(host, nowhere).end->status.code, 0);
}

// ---- FIFOs ----

TEST_F(StdioOfAChild, WaitsForNobodyAtTheOtherEndOfAFifo) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  auto seen = finished(host, into(to_file{path("fifo")}));
  ASSERT_TRUE(seen.failure);
  EXPECT_EQ(seen.failure->first.value(), ENXIO);
  EXPECT_EQ(seen.failure->second, "open " + path("fifo"));
  EXPECT_EQ(finished(host, from(to_file{path("fifo")})).out, "");
}

TEST_F(StdioOfAChild, IsAFifoThatSomebodyReads) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  unique_fd reader(::open(path("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  EXPECT_EQ(finished(host, into(to_file{path("fifo")})).end->status, exit_status{});
  char text[16];
  EXPECT_EQ(::read(reader.get(), text, sizeof text), 4);
}

// ---- failures ----

TEST_F(StdioOfAChild, IsAFailedStartWhenItsFileVanishes) {
  write("input", "");
  for (auto options : {from(to_file{path("input")}), into(to_file{path("sub/out")})}) {
    fs::create_directories(path("sub"));
    write("input", "");
    std::promise<void> removed;
    context ours; // whose first child waits on its thread, for a guardian
    boost::asio::post(ours.asio(), [&] { removed.get_future().wait(); });
    auto child = std::make_shared<recorder>();
    ours.start(options, child);
    fs::remove(path("sub"));
    fs::remove(path("input"));
    removed.set_value();
    ASSERT_TRUE(child->wait_end());
    EXPECT_EQ(child->look().calls, calls{"start_failed"});
    EXPECT_EQ(child->look().failure->first.value(), ENOENT);
    EXPECT_THAT(child->look().failure->second, testing::StartsWith("open " + folder.string()));
    EXPECT_EQ(ours.children(), 0U);
  }
}

TEST_F(StdioTarget, IsAFailedStartWhenNoDescriptorIsLeft) {
  EXPECT_EQ(in_subprocess([] {
              context host;
              finished(host, shell("true")); // the guardian has its descriptors now
              rlimit limit{open_descriptors() + 40, open_descriptors() + 40};
              ::setrlimit(RLIMIT_NOFILE, &limit);
              while (::dup(2) >= 0) {
              }
              auto options = into(to_owner{}, to_null{});
              options.stdin = to_null{};
              auto seen = finished(host, options);
              if (!seen.failure || seen.failure->first.value() != EMFILE)
                return 1;
              return seen.failure->second == "open /dev/null" ? 0 : 2;
            }),
            0);
}

// ---- descriptors ----

TEST_F(StdioOfAChild, LeavesNoDescriptorBehind) {
  write("input", "");
  auto options = into(to_file{path("out")}, to_stdout{});
  options.stdin = to_file{path("input")};
  auto failing = options;
  failing.program = "/nosuch";
  finished(host, options);
  auto before = open_descriptors();
  for (int round = 0; round < 100; ++round) {
    finished(host, options);
    finished(host, failing);
    finished(host, into(to_null{}, to_nothing{}));
  }
  std::promise<void> done; // all closed
  boost::asio::post(host.asio(), [&] { done.set_value(); });
  done.get_future().wait();
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(StdioOfAChild, IsAllThatAChildInheritsWhereverItGoes) {
  for (int fd = 200; fd < 204; ++fd)
    ::dup2(0, fd); // leaked by the host, without FD_CLOEXEC
  launch_options options{.program = program("print_fds")};
  options.stdin = to_nothing{};
  options.stdout = to_file{path("out")};
  options.stderr = to_null{};
  EXPECT_TRUE(finished(host, options).end);
  EXPECT_EQ(read("out"), "1\n2\n");
  for (int fd = 200; fd < 204; ++fd)
    ::close(fd);
}

TEST_F(StdioOfAChild, LeavesSignalsAtTheirDefaultWhateverTheHostIgnores) {
  std::signal(SIGPIPE, SIG_IGN); // as the BEAM does
  std::signal(SIGFPE, SIG_IGN);
  launch_options options{.program = program("print_signals")};
  options.session = true;
  options.stdin = to_null{};
  auto seen = finished(host, options);
  std::signal(SIGPIPE, SIG_DFL);
  std::signal(SIGFPE, SIG_DFL);
  EXPECT_EQ(seen.out, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

// What is opened gets the numbers 0 to 2 then, which are the child's own.
TEST_F(StdioTarget, IsRightInAHostThatHasClosedItsOwnStreams) {
  write("input", "hello\n");
  EXPECT_EQ(in_subprocess([this] {
              for (int fd : {0, 1, 2})
                ::close(fd);
              context host;
              auto options = shell("cat; ls /proc/$$/fd | wc -l >&2");
              options.stdin = to_file{path("input")};
              options.stdout = to_file{path("out")};
              auto seen = finished(host, options);
              if (read("out") != "hello\n" || seen.err.empty())
                return 1;
              options.stderr = to_stdout{};
              finished(host, options);
              if (!read("out").starts_with("hello\n") || read("out") == "hello\n")
                return 2;
              launch_options few{.program = program("print_fds")};
              few.stdin = few.stderr = to_nothing{};
              if (finished(host, few).out != "1\n")
                return 3;
              few.stdin = to_owner{};
              return finished(host, few).out == "0\n1\n" ? 0 : 4;
            }),
            0);
}

} // namespace
