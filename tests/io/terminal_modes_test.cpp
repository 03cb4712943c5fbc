#include <penning/io/terminal_modes.hpp>

#include <gtest/gtest.h>

using namespace penning::io;

namespace {

termios applied(const std::vector<terminal_mode>& modes, termios settings = {}) {
  apply(modes, settings);
  return settings;
}

/// What `apply` says, as "option|value|problem".
std::string refusal(const terminal_mode& mode) {
  try {
    applied({mode});
    return "";
  } catch (const option_error& e) {
    return e.option() + "|" + e.value() + "|" + e.problem();
  }
}

TEST(TerminalModes, AreAllThatTheRfcHas) {
  for (const char* name :
       {"VINTR",   "VQUIT",    "VERASE", "VKILL",    "VEOF",    "VEOL",    "VEOL2",  "VSTART",
        "VSTOP",   "VSUSP",    "VDSUSP", "VREPRINT", "VWERASE", "VLNEXT",  "VFLUSH", "VSWTCH",
        "VSTATUS", "VDISCARD", "IGNPAR", "PARMRK",   "INPCK",   "ISTRIP",  "INLCR",  "IGNCR",
        "ICRNL",   "IUCLC",    "IXON",   "IXANY",    "IXOFF",   "IMAXBEL", "IUTF8",  "ISIG",
        "ICANON",  "XCASE",    "ECHO",   "ECHOE",    "ECHOK",   "ECHONL",  "NOFLSH", "TOSTOP",
        "IEXTEN",  "ECHOCTL",  "ECHOKE", "PENDIN",   "OPOST",   "OLCUC",   "ONLCR",  "OCRNL",
        "ONOCR",   "ONLRET",   "CS7",    "CS8",      "PARENB",  "PARODD"})
    EXPECT_EQ(refusal({name, 1}), "");
  for (const char* name : {"TTY_OP_ISPEED", "TTY_OP_OSPEED"})
    EXPECT_EQ(refusal({name, 9600}), "");
}

TEST(TerminalModes, SetAndClearFlagsOfEachKind) {
  auto on = applied({{"IXON", 1}, {"ECHO", 1}, {"OPOST", 1}, {"PARENB", 1}});
  EXPECT_EQ(on.c_iflag, tcflag_t{IXON});
  EXPECT_EQ(on.c_lflag, tcflag_t{ECHO});
  EXPECT_EQ(on.c_oflag, tcflag_t{OPOST});
  EXPECT_EQ(on.c_cflag, tcflag_t{PARENB});
  on.c_lflag |= ICANON;
  auto off = applied({{"IXON", 0}, {"ECHO", 0}, {"OPOST", 0}, {"PARENB", 0}}, on);
  EXPECT_EQ(off.c_iflag, 0U);
  EXPECT_EQ(off.c_lflag, tcflag_t{ICANON});
  EXPECT_EQ(off.c_oflag, 0U);
  EXPECT_EQ(off.c_cflag, 0U);
}

TEST(TerminalModes, AreKnownInAnyCaseAndTheLastOneWins) {
  EXPECT_EQ(applied({{"echo", 1}, {"Echo", 0}, {"eCHO", 1}}).c_lflag, tcflag_t{ECHO});
  EXPECT_EQ(applied({{"ECHO", 1}, {"echo", 0}}).c_lflag, 0U);
}

TEST(TerminalModes, SetControlCharactersAndSwitchThemOff) {
  auto settings = applied({{"VINTR", 2}, {"VEOF", 254}, {"VSWTCH", 7}});
  EXPECT_EQ(settings.c_cc[VINTR], 2);
  EXPECT_EQ(settings.c_cc[VEOF], 254);
  EXPECT_EQ(settings.c_cc[VSWTC], 7);
  EXPECT_EQ(applied({{"VINTR", 255}}, settings).c_cc[VINTR], _POSIX_VDISABLE);
}

TEST(TerminalModes, CheckButSetNothingThatLinuxHasNot) {
  termios before{};
  std::fill(std::begin(before.c_cc), std::end(before.c_cc), cc_t{9});
  auto after = applied({{"VDSUSP", 1}, {"VFLUSH", 2}, {"VSTATUS", 3}}, before);
  EXPECT_TRUE(std::equal(std::begin(before.c_cc), std::end(before.c_cc), after.c_cc));
}

TEST(TerminalModes, ChooseTheSizeOfACharacter) {
  EXPECT_EQ(applied({{"CS7", 1}}).c_cflag & CSIZE, tcflag_t{CS7});
  EXPECT_EQ(applied({{"CS7", 1}, {"CS8", 1}, {"CS7", 0}}).c_cflag & CSIZE, tcflag_t{CS8});
}

TEST(TerminalModes, HaveSpeedsInBaud) {
  auto input = applied({{"TTY_OP_ISPEED", 9600}}), output = applied({{"tty_op_ospeed", 115200}});
  EXPECT_EQ(cfgetispeed(&input), speed_t{B9600});
  EXPECT_EQ(cfgetospeed(&output), speed_t{B115200});
}

TEST(TerminalModes, AreRefusedByNameAndValue) {
  EXPECT_EQ(refusal({"vfoo", 1}), "pty|vfoo 1|is no terminal mode of RFC 4254");
  EXPECT_EQ(refusal({"", 0}), "pty| 0|is no terminal mode of RFC 4254");
  EXPECT_EQ(refusal({"vintr", 256}), "pty|vintr 256|must be 0 to 255, and 255 for none");
  EXPECT_EQ(refusal({"VSTATUS", 256}), "pty|VSTATUS 256|must be 0 to 255, and 255 for none");
  EXPECT_EQ(refusal({"echo", 2}), "pty|echo 2|must be 0 or 1");
  EXPECT_EQ(refusal({"CS8", 8}), "pty|CS8 8|must be 0 or 1");
  EXPECT_EQ(refusal({"TTY_OP_ISPEED", 9601}),
            "pty|TTY_OP_ISPEED 9601|is not a speed of termios(3)");
}

TEST(EndOfFile, IsTypedOnceAfterALineAndTwiceWithinOne) {
  auto settings = applied({{"ICANON", 1}, {"VEOF", 4}, {"VEOL", 'l'}, {"ICRNL", 1}});
  EXPECT_EQ(end_of_file(settings, {}), "\4");
  EXPECT_EQ(end_of_file(settings, '\n'), "\4");
  EXPECT_EQ(end_of_file(settings, '\r'), "\4");
  EXPECT_EQ(end_of_file(settings, 'l'), "\4");
  EXPECT_EQ(end_of_file(settings, '\4'), "\4");
  EXPECT_EQ(end_of_file(settings, 'x'), "\4\4");
  EXPECT_EQ(end_of_file(settings, '\0'), "\4\4"); // which VEOL2 is not, being switched off
}

TEST(EndOfFile, FollowsWhatTheTerminalMakesOfALinesEnd) {
  auto plain = applied({{"ICANON", 1}, {"VEOF", 4}});
  EXPECT_EQ(end_of_file(plain, '\r'), "\4\4");
  EXPECT_EQ(end_of_file(applied({{"INLCR", 1}}, plain), '\n'), "\4\4");
  EXPECT_EQ(end_of_file(applied({{"ICRNL", 1}, {"IGNCR", 1}}, plain), '\r'), "\4\4");
}

TEST(EndOfFile, CannotBeTypedInRawModeNorWithoutItsCharacter) {
  EXPECT_EQ(end_of_file(applied({{"ICANON", 0}, {"VEOF", 4}}), 'x'), "");
  EXPECT_EQ(end_of_file(applied({{"ICANON", 1}, {"VEOF", 255}}), 'x'), "");
}

} // namespace
