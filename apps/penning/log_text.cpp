#include "log_event.hpp"

#include <array>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string_view>

namespace penning::apps {

namespace {

using std::chrono::milliseconds;

template <class... Args>
std::string printed(const char* format, Args... args) {
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, args...);
  return buffer.data();
}

/// Local time to the millisecond.
std::string describe_time(std::chrono::system_clock::time_point time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto rest = std::chrono::duration_cast<milliseconds>(time - seconds).count();
  const auto clock = std::chrono::system_clock::to_time_t(seconds);
  std::tm local{};
  ::localtime_r(&clock, &local);
  std::array<char, 32> date{};
  std::strftime(date.data(), date.size(), "%F %T", &local);
  return printed("%s.%03d", date.data(), static_cast<int>(rest));
}

std::string without_controls(std::string_view line) {
  std::string result;
  result.reserve(line.size());
  for (char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < ' ' && c != '\t') || byte == 0x7f)
      result += printed("\\x%02x", byte);
    else
      result += c;
  }
  return result;
}

std::string describe_end(const log_event& event) {
  const bool by_signal = event.how.how == io::exit_status::kind::signal;
  const auto cpu = event.usage.user + event.usage.system;
  return (by_signal ? "ended by " : "exited with ") + apps::describe(event.how) + " after "
         + apps::describe(event.ran) + ", pid " + std::to_string(event.os_pid)
         + printed(" (cpu %.3f s, %.1f MiB)", std::chrono::duration<double>{cpu}.count(),
                   static_cast<double>(event.usage.max_rss_kib) / 1024)
         + (event.usage.oom_killed ? ", out of memory" : "");
}

std::string describe_start(const log_event& event) {
  auto text = event.kind == event_kind::started
                ? std::string{"started"}
                : "restarted (restart " + std::to_string(event.restarts) + ")";
  if (event.is_supervisor)
    return text + ", supervisor";
  return text + ", pid " + std::to_string(event.os_pid);
}

std::string describe_what(const log_event& event) {
  switch (event.kind) {
  case event_kind::started:
  case event_kind::restarted: return describe_start(event);
  case event_kind::out:
  case event_kind::err: return without_controls(event.text) + (event.cut ? " [...]" : "");
  case event_kind::exited: return describe_end(event);
  case event_kind::ended: return "supervisor ended: " + event.text;
  case event_kind::start_failed: return "failed to start: " + event.text;
  case event_kind::stop_failed: return "did not stop as asked: " + event.text;
  case event_kind::gave_up: return "gave up: " + event.text;
  default: return event.text;
  }
}

/// Tells output from events at one look, and stdout from stderr.
const char* marker(event_kind kind) {
  switch (kind) {
  case event_kind::out: return "|";
  case event_kind::err: return "!";
  default: return "*";
  }
}

// Select Graphic Rendition, see console_codes(4).
const char* colour_of(const log_event& event) {
  const bool success = event.how.how == io::exit_status::kind::status && event.how.code == 0;
  switch (event.kind) {
  case event_kind::started:
  case event_kind::restarted: return "\033[32m";
  case event_kind::exited: return success ? "\033[36m" : "\033[33m";
  case event_kind::out: return "";
  case event_kind::note: return "\033[1m";
  default: return "\033[31m";
  }
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width)
    text.resize(width, ' ');
  return text;
}

std::string text_line(const log_event& event, std::size_t id_width, bool colour) {
  const auto id = padded(event.id.empty() ? "penning" : event.id, id_width);
  const auto time = describe_time(event.time);
  const auto what = describe_what(event);
  const auto* mark = marker(event.kind);
  if (!colour)
    return time + "  " + id + "  " + mark + " " + what + "\n";
  // Output keeps the terminal's own colour; only its marker shows where it comes from.
  const bool output = event.kind == event_kind::out || event.kind == event_kind::err;
  const std::string paint = colour_of(event), reset = "\033[0m";
  auto line = "\033[2m" + time + reset + "  " + id + "  " + paint + mark;
  line.append(output ? reset : "").append(" ").append(what).append(output ? "" : reset);
  return line + "\n";
}

} // namespace

std::string describe(const io::exit_status& how) {
  if (how.how == io::exit_status::kind::status)
    return "status " + std::to_string(how.code);
  const auto* name = ::sigabbrev_np(how.code);
  const auto text = name ? std::string{"SIG"} + name : "signal " + std::to_string(how.code);
  return text + (how.core_dumped ? " (core dumped)" : "");
}

std::string describe(milliseconds time) {
  const auto ms = static_cast<long long>(time.count());
  const auto s = ms / 1000;
  if (ms < 1000)
    return printed("%lld ms", ms);
  if (s < 60)
    return printed("%lld.%lld s", s, ms % 1000 / 100);
  if (s < 3600)
    return printed("%lldm %02llds", s / 60, s % 60);
  if (s < 86'400)
    return printed("%lldh %02lldm", s / 3600, s % 3600 / 60);
  return printed("%lldd %02lldh", s / 86'400, s % 86'400 / 3600);
}

log_format text_format(std::size_t id_width, bool colour) {
  return [=](const log_event& event) { return text_line(event, id_width, colour); };
}

} // namespace penning::apps
