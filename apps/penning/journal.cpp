#include "journal.hpp"

#include "line_writer.hpp"
#include "reason_text.hpp"

#include <algorithm>
#include <utility>

namespace penning::apps {

namespace {

using supervision::child_type;
using supervision::report;
using supervision::report_kind;

/// Lines and records are lines of the log.
std::vector<char> bytes_of(actors::line& line) {
  if (line.complete)
    line.bytes.push_back('\n');
  return std::move(line.bytes);
}

} // namespace

journal::journal(caf::actor_config& config, caf::actor writer, log_format format)
    : process{config},
      writer_{std::move(writer)},
      format_{std::move(format)} {}

actors::start_result journal::init() {
  trap_exit(true); // each program is linked to its owner
  return {};
}

caf::message_handler journal::receive() {
  return {
    [this](const child_announced& message) { on_announced(message); },
    [this](const actors::data& m) { return on_output(event_kind::out, m.bytes); },
    [this](const actors::error& m) { return on_output(event_kind::err, m.bytes); },
    [this](actors::data_line& m) { return on_output(event_kind::out, bytes_of(m.line)); },
    [this](actors::error_line& m) { return on_output(event_kind::err, bytes_of(m.line)); },
    [this](const actors::exited& message) { on_exited(message); },
    [this](const report& message) { on_report(message); },
    [this](const note& message) { log(event_kind::note, "", message.text); },
    [this](describe_children) { return describe(); },
    [this](kill_all) {
      kill(child_type::supervisor); // these restart nothing then
      kill(child_type::worker);
    },
    [this](finish) -> caf::result<void> {
      const actors::pending_answer answer{make_response_promise()};
      finish_ = answer;
      finish_if_all_ended();
      return answer.promise();
    },
  };
}

// -- what children tell ---------------------------------------------------------------------------

void journal::on_announced(const child_announced& message) {
  auto& known = places_[message.path];
  known.type = message.type;
  known.current.since = std::chrono::steady_clock::now();
  const auto child = caf::actor_cast<caf::actor>(message.child);
  if (!child) // its start has failed, and it is gone: no end of it would come
    return;
  auto& record = children_[message.child];
  record.path = message.path;
  record.reported = message.waits_for_ready; // its output may be what shows that it is ready
  monitor(child);
}

caf::result<void> journal::on_output(event_kind kind, const std::vector<char>& bytes) {
  const auto from = caf::actor_cast<caf::actor_addr>(current_sender());
  const actors::pending_answer answer{make_response_promise()}; // takes the sender with it
  when_reported(from, [this, kind, from, answer, text = std::string{bytes.begin(), bytes.end()}] {
    write(cut_lines(children_[from], kind, text), answer);
  });
  return answer.promise();
}

void journal::on_exited(const actors::exited& message) {
  const auto from = caf::actor_cast<caf::actor_addr>(current_sender());
  when_reported(
    from, [this, from, message, now = clock::now(), ticks = std::chrono::steady_clock::now()] {
      auto& child = children_[from];
      flush_lines(child);
      const auto since = places_[child.path].current.since;
      const auto ran = std::max(ticks - since, {});
      log({.kind = event_kind::exited,
           .time = now,
           .id = child.path,
           .os_pid = message.os_pid,
           .how = message.how,
           .usage = message.usage,
           .ran = std::chrono::duration_cast<std::chrono::milliseconds>(ran)});
    });
}

void journal::handle_down(const actors::down& message) {
  const auto found = children_.find(message.from);
  if (found == children_.end())
    return;
  found->second.gone = true;
  if (found->second.reported)
    forget(found);
  finish_if_all_ended();
}

// -- what supervisors tell ------------------------------------------------------------------------

void journal::on_report(const report& message) {
  const auto path = path_of(message.supervisor, id_text(message.id));
  switch (message.kind) {
  case report_kind::progress: return on_progress(message, path);
  case report_kind::child_terminated: // of a program, its `exited` tells more
    if (places_[path].type == child_type::supervisor)
      log(event_kind::ended, path, reason_text(message.reason));
    break;
  case report_kind::start_error:
    return log(event_kind::start_failed, path, reason_text(message.reason));
  case report_kind::shutdown_error:
    return log(event_kind::stop_failed, path, reason_text(message.reason));
  case report_kind::restart_delayed:
    return log(event_kind::delayed, path, "restarts in " + to_string(message.info) + " ms");
  case report_kind::shutdown:
    return log(event_kind::gave_up, message.supervisor,
               "too many restarts, the last of \"" + id_text(message.id) + "\"");
  default: break;
  }
}

void journal::on_progress(const report& message, const std::string& path) {
  auto& known = places_[path];
  const auto restarts = known.starts++;
  const auto os_pid = message.info.as<std::int64_t>().value_or(0);
  known.current = {message.pid, os_pid, restarts, std::chrono::steady_clock::now()};
  log({.kind = restarts == 0 ? event_kind::started : event_kind::restarted,
       .time = clock::now(),
       .id = path,
       .is_supervisor = known.type == child_type::supervisor,
       .os_pid = os_pid,
       .restarts = restarts});
  release(message.pid);
}

void journal::kill(child_type type) {
  for (const auto& [address, child] : children_)
    if (auto actor = caf::actor_cast<caf::actor>(address);
        actor && places_[child.path].type == type)
      exit(actor, actors::atoms::kill());
}

// -- in the right order ---------------------------------------------------------------------------

void journal::when_reported(const caf::actor_addr& address, std::function<void()> work) {
  auto& child = children_[address];
  if (child.reported)
    work();
  else
    child.held.push_back(std::move(work));
}

void journal::release(const caf::actor_addr& address) {
  const auto found = children_.find(address);
  if (found == children_.end())
    return;
  found->second.reported = true;
  for (auto& work : std::exchange(found->second.held, {}))
    work();
  if (found->second.gone)
    forget(found);
}

void journal::forget(child_map::iterator child) {
  flush_lines(child->second); // of one that was killed before its owner had taken all
  children_.erase(child);
}

void journal::finish_if_all_ended() {
  const auto runs = [](const auto& entry) { return !entry.second.gone; };
  if (!finish_ || std::ranges::any_of(children_, runs))
    return;
  while (!children_.empty()) // the supervisor of these has ended without a report of their start
    release(children_.begin()->first);
  auto written = [this, answer = *std::exchange(finish_, std::nullopt)]() mutable {
    answer.deliver(caf::unit);
    exit(writer_, actors::atoms::shutdown());
    exit(actors::atoms::normal());
  };
  // Answered after all that was written before.
  actors::request(this, writer_, write_text{}).then(written, [=](const caf::error&) mutable {
    written();
  });
}

// -- lines ----------------------------------------------------------------------------------------

std::string journal::cut_lines(child_record& child, event_kind kind, std::string_view bytes) {
  std::string text;
  auto& splitter = kind == event_kind::out ? child.out : child.err;
  splitter.feed(bytes, [&](std::string line, bool cut) {
    if (line.ends_with('\r'))
      line.pop_back();
    text += format_(
      {.kind = kind, .time = clock::now(), .id = child.path, .text = std::move(line), .cut = cut});
  });
  return text;
}

void journal::flush_lines(child_record& child) {
  child.out.flush(
    [&](std::string line, bool) { log(event_kind::out, child.path, std::move(line)); });
  child.err.flush(
    [&](std::string line, bool) { log(event_kind::err, child.path, std::move(line)); });
}

void journal::log(log_event event) {
  actors::send(this, writer_, write_text{format_(event)});
}

void journal::log(event_kind kind, const std::string& id, std::string text) {
  log({.kind = kind, .time = clock::now(), .id = id, .text = std::move(text)});
}

void journal::write(std::string text, actors::pending_answer answer) {
  auto written = [answer]() mutable { answer.deliver(caf::unit); };
  actors::request(this, writer_, write_text{std::move(text)})
    .then(written, [=](const caf::error&) mutable { written(); });
}

child_descriptions journal::describe() const {
  child_descriptions result;
  for (const auto& [path, known] : places_)
    result.by_path.emplace(path, known.current);
  return result;
}

void journal::terminate(const actors::term&) {
  children_.clear();
  finish_.reset();
  writer_ = nullptr;
}

} // namespace penning::apps
