#include <penning/supervision/child_spec.hpp>
#include <penning/supervision/tree_options.hpp>

#include <charconv>
#include <limits>

namespace penning::supervision::detail {

namespace {

using namespace actors::literals;
using actors::term;
using actors::tuple_of;
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
std::optional<term> tcp_address(std::string_view text) {
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
  return tuple_of("tcp"_a, host, port);
}

term read_command(table_reader& in) {
  std::vector<term> words;
  in.each<std::string>("command", "a string",
                       [&](std::string& word, auto&) { words.emplace_back(std::move(word)); });
  if (words.empty())
    words.emplace_back(""); // which `validate` refuses
  const term program = words.front();
  words.erase(words.begin());
  return tuple_of("command"_a, program, actors::list{std::move(words)});
}

std::optional<term> read_check(table_reader& in, std::string_view kind) {
  if (kind == "command")
    return read_command(in);
  const auto text = in.text(kind);
  if (!text)
    return std::nullopt;
  if (kind != "tcp")
    return tuple_of(actors::atom{kind}, *text);
  auto address = tcp_address(*text);
  if (!address)
    in.refuse(kind, "must be an address and a port, \"127.0.0.1:80\" or \"[::1]:80\"");
  return address;
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

std::optional<term> read_readiness(table_reader& in) {
  auto inner = in.inner("ready");
  if (!inner)
    return std::nullopt;
  inner->allow_only({"stdout", "tcp", "unix", "file", "command", "interval"});
  std::vector<const char*> kinds;
  for (const auto* kind : {"stdout", "tcp", "unix", "file", "command"})
    if (inner->table().contains(kind))
      kinds.push_back(kind);
  if (kinds.size() != 1)
    in.refuse("ready", "must have one of stdout, tcp, unix, file and command");
  const auto check = kinds.size() == 1 ? read_check(*inner, kinds.front()) : std::nullopt;
  auto interval = actors::readiness{}.interval;
  read_time(*inner, "interval", 1, interval);
  if (!check)
    return std::nullopt;
  return actors::map_of({{"check"_a, *check}, {"interval"_a, interval.count()}});
}

std::vector<std::string> read_start_after(table_reader& in) {
  std::vector<std::string> ids;
  in.each<std::string>("start_after", "a string",
                       [&](std::string& id, auto&) { ids.push_back(std::move(id)); });
  return ids;
}

} // namespace penning::supervision::detail
