#include "log_event.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <ctime>

namespace penning::apps {

namespace {

using nlohmann::ordered_json;

const char* name_of(event_kind kind) {
  static constexpr std::array names{"note",        "started", "restarted", "stdout",
                                    "stderr",      "exited",  "ended",     "start_failed",
                                    "stop_failed", "gave_up", "delayed"};
  return names[static_cast<std::size_t>(kind)];
}

/// RFC 3339 in UTC.
std::string timestamp(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto whole = floor<seconds>(time);
  const auto clock = system_clock::to_time_t(whole);
  std::tm utc{};
  ::gmtime_r(&clock, &utc);
  std::array<char, 40> text{};
  const auto size = std::strftime(text.data(), text.size(), "%FT%T", &utc);
  const auto rest = static_cast<int>(duration_cast<milliseconds>(time - whole).count());
  std::snprintf(text.data() + size, text.size() - size, ".%03dZ", rest);
  return text.data();
}

void add_end(ordered_json& line, const log_event& event) {
  if (event.how.how == io::exit_status::kind::status) {
    line["status"] = event.how.code;
  } else {
    line["signal"] = event.how.code;
    line["core_dumped"] = event.how.core_dumped;
  }
  line["ran_ms"] = event.ran.count();
  line["user_us"] = event.usage.user.count();
  line["system_us"] = event.usage.system.count();
  line["max_rss_kib"] = event.usage.max_rss_kib;
  line["oom_killed"] = event.usage.oom_killed;
}

void add_what(ordered_json& line, const log_event& event) {
  switch (event.kind) {
  case event_kind::restarted: line["restarts"] = event.restarts; [[fallthrough]];
  case event_kind::started: line["type"] = event.is_supervisor ? "supervisor" : "worker"; break;
  case event_kind::exited: add_end(line, event); break;
  case event_kind::out:
  case event_kind::err:
    line["line"] = event.text;
    if (event.cut)
      line["cut"] = true;
    break;
  case event_kind::note:
  case event_kind::delayed: line["text"] = event.text; break;
  default: line["reason"] = event.text;
  }
}

} // namespace

log_format json_format() {
  return [](const log_event& event) {
    ordered_json line{{"time", timestamp(event.time)}, {"event", name_of(event.kind)}};
    if (!event.id.empty())
      line["id"] = event.id;
    if (event.os_pid != 0)
      line["os_pid"] = event.os_pid;
    add_what(line, event);
    return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  };
}

} // namespace penning::apps
