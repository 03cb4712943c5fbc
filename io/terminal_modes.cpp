#include <penning/io/terminal_modes.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace penning::io {
namespace {

struct named_character {
  std::string_view name;
  int index; // in c_cc, or -1
};
constexpr auto characters = std::to_array<named_character>({{"VINTR", VINTR},
                                                            {"VQUIT", VQUIT},
                                                            {"VERASE", VERASE},
                                                            {"VKILL", VKILL},
                                                            {"VEOF", VEOF},
                                                            {"VEOL", VEOL},
                                                            {"VEOL2", VEOL2},
                                                            {"VSTART", VSTART},
                                                            {"VSTOP", VSTOP},
                                                            {"VSUSP", VSUSP},
                                                            {"VDSUSP", -1},
                                                            {"VREPRINT", VREPRINT},
                                                            {"VWERASE", VWERASE},
                                                            {"VLNEXT", VLNEXT},
                                                            {"VFLUSH", -1},
                                                            {"VSWTCH", VSWTC},
                                                            {"VSTATUS", -1},
                                                            {"VDISCARD", VDISCARD}});

struct named_flag {
  std::string_view name;
  tcflag_t termios::*word;
  tcflag_t bit;
};
constexpr auto flags = std::to_array<named_flag>({
  {"IGNPAR", &termios::c_iflag, IGNPAR}, {"PARMRK", &termios::c_iflag, PARMRK},
  {"INPCK", &termios::c_iflag, INPCK},   {"ISTRIP", &termios::c_iflag, ISTRIP},
  {"INLCR", &termios::c_iflag, INLCR},   {"IGNCR", &termios::c_iflag, IGNCR},
  {"ICRNL", &termios::c_iflag, ICRNL},   {"IUCLC", &termios::c_iflag, IUCLC},
  {"IXON", &termios::c_iflag, IXON},     {"IXANY", &termios::c_iflag, IXANY},
  {"IXOFF", &termios::c_iflag, IXOFF},   {"IMAXBEL", &termios::c_iflag, IMAXBEL},
  {"IUTF8", &termios::c_iflag, IUTF8},   {"ISIG", &termios::c_lflag, ISIG},
  {"ICANON", &termios::c_lflag, ICANON}, {"XCASE", &termios::c_lflag, XCASE},
  {"ECHO", &termios::c_lflag, ECHO},     {"ECHOE", &termios::c_lflag, ECHOE},
  {"ECHOK", &termios::c_lflag, ECHOK},   {"ECHONL", &termios::c_lflag, ECHONL},
  {"NOFLSH", &termios::c_lflag, NOFLSH}, {"TOSTOP", &termios::c_lflag, TOSTOP},
  {"IEXTEN", &termios::c_lflag, IEXTEN}, {"ECHOCTL", &termios::c_lflag, ECHOCTL},
  {"ECHOKE", &termios::c_lflag, ECHOKE}, {"PENDIN", &termios::c_lflag, PENDIN},
  {"OPOST", &termios::c_oflag, OPOST},   {"OLCUC", &termios::c_oflag, OLCUC},
  {"ONLCR", &termios::c_oflag, ONLCR},   {"OCRNL", &termios::c_oflag, OCRNL},
  {"ONOCR", &termios::c_oflag, ONOCR},   {"ONLRET", &termios::c_oflag, ONLRET},
  {"PARENB", &termios::c_cflag, PARENB}, {"PARODD", &termios::c_cflag, PARODD},
});

struct named_size {
  std::string_view name;
  tcflag_t bits;
};
constexpr auto sizes = std::to_array<named_size>({{"CS7", CS7}, {"CS8", CS8}});

struct named_speed {
  std::string_view name;
  int (*set)(termios*, speed_t);
};
constexpr auto speeds = std::to_array<named_speed>(
  {{"TTY_OP_ISPEED", &::cfsetispeed}, {"TTY_OP_OSPEED", &::cfsetospeed}});

struct baud_constant {
  std::uint32_t baud;
  speed_t constant;
};
constexpr auto bauds = std::to_array<baud_constant>({{0, B0},
                                                     {50, B50},
                                                     {75, B75},
                                                     {110, B110},
                                                     {134, B134},
                                                     {150, B150},
                                                     {200, B200},
                                                     {300, B300},
                                                     {600, B600},
                                                     {1200, B1200},
                                                     {1800, B1800},
                                                     {2400, B2400},
                                                     {4800, B4800},
                                                     {9600, B9600},
                                                     {19200, B19200},
                                                     {38400, B38400},
                                                     {57600, B57600},
                                                     {115200, B115200},
                                                     {230400, B230400},
                                                     {460800, B460800},
                                                     {500000, B500000},
                                                     {576000, B576000},
                                                     {921600, B921600},
                                                     {1000000, B1000000},
                                                     {1152000, B1152000},
                                                     {1500000, B1500000},
                                                     {2000000, B2000000},
                                                     {2500000, B2500000},
                                                     {3000000, B3000000},
                                                     {3500000, B3500000},
                                                     {4000000, B4000000}});

std::string upper(std::string text) {
  for (char& c : text)
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

template <class Table>
auto find(const Table& table, std::string_view name) -> decltype(table.data()) {
  auto found = std::ranges::find(table, name, [](const auto& entry) { return entry.name; });
  return found == table.end() ? nullptr : &*found;
}

[[noreturn]] void refuse(const terminal_mode& mode, const char* problem) {
  throw option_error("pty", mode.first + " " + std::to_string(mode.second), problem);
}

void require_flag(const terminal_mode& mode) {
  if (mode.second > 1)
    refuse(mode, "must be 0 or 1");
}

void set(const named_character& which, const terminal_mode& mode, termios& settings) {
  if (mode.second > 255)
    refuse(mode, "must be 0 to 255, and 255 for none");
  if (which.index >= 0)
    settings.c_cc[which.index] =
      mode.second == 255 ? cc_t{_POSIX_VDISABLE} : static_cast<cc_t>(mode.second);
}

void set(const named_flag& which, const terminal_mode& mode, termios& settings) {
  require_flag(mode);
  auto& word = settings.*which.word;
  word = mode.second == 1 ? word | which.bit : word & ~which.bit;
}

void set(const named_size& which, const terminal_mode& mode, termios& settings) {
  require_flag(mode);
  if (mode.second == 1)
    settings.c_cflag = (settings.c_cflag & ~tcflag_t{CSIZE}) | which.bits;
}

void set(const named_speed& which, const terminal_mode& mode, termios& settings) {
  auto baud = std::ranges::find(bauds, mode.second, &baud_constant::baud);
  if (baud == bauds.end())
    refuse(mode, "is not a speed of termios(3)");
  which.set(&settings, baud->constant);
}

bool goes_to_owner(const stdio_target& target) {
  return std::holds_alternative<to_owner>(target);
}

bool ends_line(const termios& settings, char last) {
  if (last == '\n')
    return (settings.c_iflag & INLCR) == 0;
  if (last == '\r')
    return (settings.c_iflag & ICRNL) != 0 && (settings.c_iflag & IGNCR) == 0;
  return std::ranges::any_of(std::array{VEOF, VEOL, VEOL2}, [&](int index) {
    auto end = settings.c_cc[index];
    return end != _POSIX_VDISABLE && end == static_cast<cc_t>(last);
  });
}

} // namespace

void apply(const std::vector<terminal_mode>& modes, termios& settings) {
  for (const auto& mode : modes) {
    auto name = upper(mode.first);
    if (const auto* character = find(characters, name))
      set(*character, mode, settings);
    else if (const auto* flag = find(flags, name))
      set(*flag, mode, settings);
    else if (const auto* size = find(sizes, name))
      set(*size, mode, settings);
    else if (const auto* speed = find(speeds, name))
      set(*speed, mode, settings);
    else
      refuse(mode, "is no terminal mode of RFC 4254");
  }
}

void validate_terminal(const launch_options& options) {
  if (!options.pty)
    return;
  termios settings{};
  apply(options.pty->modes, settings);
  if (!goes_to_owner(options.stdin) && !goes_to_owner(options.stdout)
      && !goes_to_owner(options.stderr))
    throw option_error("pty", "", "none of stdin, stdout and stderr goes to the owner");
}

std::string end_of_file(const termios& settings, std::optional<char> last) {
  auto character = settings.c_cc[VEOF];
  if ((settings.c_lflag & ICANON) == 0 || character == _POSIX_VDISABLE)
    return {};
  return std::string(!last || ends_line(settings, *last) ? 1 : 2, static_cast<char>(character));
}

} // namespace penning::io
