#include <penning/supervision/child_spec.hpp>
#include <penning/supervision/tree_options.hpp>

#include <charconv>
#include <limits>

namespace penning::supervision::detail {

namespace {

using std::chrono::milliseconds;

constexpr std::int64_t max_time = actors::max_delay.count();

void read_time(table_reader& in, std::string_view key, std::int64_t min, milliseconds& out) {
  if (const auto time = in.integer(key, min, max_time))
    out = milliseconds{*time};
}

void read_number(table_reader& in, std::string_view key, double& out) {
  const auto* node = in.table().get(key);
  if (!node)
    return;
  if (const auto number = node->value<double>())
    out = *number;
  else
    in.wrong_type(key, *node, "a number");
}

/// `127.0.0.1:80`, `localhost:80`, `[::1]:80`; a host that is none is found by `validate`.
std::optional<actors::tcp_accepts> tcp_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return std::nullopt;
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), port);
  if (error != std::errc{} || end != digits.end())
    return std::nullopt;
  return actors::tcp_accepts{std::string{host}, port};
}

std::optional<actors::ready_check> read_command(table_reader& in) {
  std::vector<std::string> words;
  in.each<std::string>("command", "a string",
                       [&](std::string& word, auto&) { words.push_back(std::move(word)); });
  if (words.empty())
    return actors::command_succeeds{}; // which `validate` refuses
  return actors::command_succeeds{std::move(words.front()), {words.begin() + 1, words.end()}};
}

std::optional<actors::ready_check> read_check(table_reader& in, std::string_view kind) {
  if (kind == "command")
    return read_command(in);
  auto text = in.text(kind);
  if (!text)
    return std::nullopt;
  if (kind == "stdout")
    return actors::stdout_line{std::move(*text)};
  if (kind == "unix")
    return actors::unix_accepts{std::move(*text)};
  if (kind == "file")
    return actors::file_exists{std::move(*text)};
  if (const auto address = tcp_address(*text))
    return *address;
  in.refuse(kind, "must be an address and a port, \"127.0.0.1:80\" or \"[::1]:80\"");
  return std::nullopt;
}

} // namespace

std::optional<backoff> read_backoff(table_reader& in) {
  auto inner = in.inner("backoff");
  if (!inner)
    return std::nullopt;
  backoff how;
  inner->allow_only({"initial", "max", "factor", "jitter", "reset_after"});
  read_time(*inner, "initial", 1, how.initial);
  read_time(*inner, "max", 1, how.max);
  read_time(*inner, "reset_after", 0, how.reset_after);
  read_number(*inner, "factor", how.factor);
  read_number(*inner, "jitter", how.jitter);
  if (how.max < how.initial && inner->table().contains("max"))
    inner->refuse("max", "must be at least initial, " + std::to_string(how.initial.count()));
  else if (how.max < how.initial)
    inner->refuse("initial", "must be at most max, " + std::to_string(how.max.count()));
  if (!(how.factor >= 1 && how.factor <= std::numeric_limits<double>::max()))
    inner->refuse("factor", "must be a finite number of at least 1");
  if (!(how.jitter >= 0 && how.jitter <= 1))
    inner->refuse("jitter", "must be from 0 to 1");
  return how;
}

std::optional<actors::readiness> read_readiness(table_reader& in) {
  auto inner = in.inner("ready");
  if (!inner)
    return std::nullopt;
  inner->allow_only({"stdout", "tcp", "unix", "file", "command", "interval"});
  std::optional<actors::ready_check> check;
  std::size_t checks = 0;
  for (const auto* kind : {"stdout", "tcp", "unix", "file", "command"})
    if (inner->table().contains(kind)) {
      ++checks;
      check = read_check(*inner, kind);
    }
  if (checks != 1)
    in.refuse("ready", "must have one of stdout, tcp, unix, file and command");
  if (checks != 1 || !check)
    return std::nullopt;
  actors::readiness ready{std::move(*check)};
  read_time(*inner, "interval", 1, ready.interval);
  try {
    actors::validate(ready);
  } catch (const io::option_error& error) {
    in.refuse("ready", error.problem());
  }
  return ready;
}

std::vector<std::string> read_start_after(table_reader& in) {
  std::vector<std::string> ids;
  in.each<std::string>("start_after", "a string",
                       [&](std::string& id, auto&) { ids.push_back(std::move(id)); });
  return ids;
}

} // namespace penning::supervision::detail
