#include <penning/io/pty.hpp>

#include <penning/io/terminal_modes.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>

namespace penning::io {
namespace {

std::error_code failure(const char*& step, const char* call) {
  step = call;
  return {errno, std::system_category()};
}

std::error_code configure(int master, const pty_options& options, const char*& step) {
  termios settings{}; // those of the slave, as a master has none of its own, see ioctl_tty(2)
  if (::tcgetattr(master, &settings) != 0)
    return failure(step, "tcgetattr");
  apply(options.modes, settings);
  if (::tcsetattr(master, TCSANOW, &settings) != 0)
    return failure(step, "tcsetattr");
  step = "ioctl(TIOCSWINSZ)";
  return resize_terminal(master, options.size);
}

} // namespace

std::error_code open_terminal(pseudo_terminal& terminal, const pty_options& options,
                              const char*& step) {
  constexpr int flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
  int unlocked = 0;
  terminal.control.reset(::open("/dev/ptmx", flags | O_NONBLOCK));
  int master = terminal.control.get();
  if (master < 0)
    return failure(step, "open /dev/ptmx");
  if (::ioctl(master, TIOCSPTLCK, &unlocked) != 0)
    return failure(step, "ioctl(TIOCSPTLCK)");
  // Not by its name, which means another one where /dev/pts is mounted anew.
  terminal.theirs.reset(::ioctl(master, TIOCGPTPEER, flags));
  if (!terminal.theirs)
    return failure(step, "ioctl(TIOCGPTPEER)");
  for (auto* copy : {&terminal.input, &terminal.output}) {
    copy->reset(::fcntl(master, F_DUPFD_CLOEXEC, 0));
    if (!*copy)
      return failure(step, "fcntl(F_DUPFD_CLOEXEC)");
  }
  return configure(master, options, step);
}

void enter_terminal(clone_launcher::settings& launch, const pseudo_terminal& terminal,
                    const launch_options& options) {
  launch.new_session = true;
  launch.terminal = terminal.theirs.get();
  const auto& err = options.stderr;
  const std::array streams{&options.stdin, &options.stdout,
                           std::holds_alternative<to_stdout>(err) ? &options.stdout : &err};
  for (std::size_t i = 0; i < streams.size(); ++i)
    if (std::holds_alternative<to_owner>(*streams[i]))
      launch.stdio[i] = terminal.theirs.get();
}

std::error_code resize_terminal(int fd, const window_size& size) {
  winsize kernel_size{size.rows, size.columns, size.x_pixels, size.y_pixels};
  if (::ioctl(fd, TIOCSWINSZ, &kernel_size) != 0)
    return {errno, std::system_category()};
  return {};
}

bool is_deserted(int fd) {
  pollfd entry{fd, 0, 0};
  return ::poll(&entry, 1, 0) > 0;
}

std::string end_of_file(int fd, std::optional<char> last) {
  termios settings{};
  return ::tcgetattr(fd, &settings) == 0 ? end_of_file(settings, last) : std::string{};
}

} // namespace penning::io
