#include <penning/bridge/port_protocol.hpp>

#include <penning/bridge/etf.hpp>
#include <penning/bridge/etf_reader.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

namespace penning::bridge::port_protocol {

namespace {

using namespace actors::literals;
using actors::atom;
using actors::binary;
using actors::bind;
using actors::match;
using actors::pid;
using actors::tup;
using actors::tuple_of;

/// The struct whose members these are. In braces: clang 14 has no `std::make_from_tuple` for it.
template <class T, class... Members>
T made_of(std::tuple<Members...>&& members) {
  return std::apply([](auto&... each) { return T{std::move(each)...}; }, members);
}

std::optional<request_body> parse_request(const term& value) {
  if (value.is_atom("info"))
    return info{};
  if (auto m = match(value, "open"_a, bind<term>, bind<term>, bind<term>))
    return made_of<open>(std::move(*m));
  if (auto m = match(value, "supervise"_a, bind<term>, bind<term>))
    return made_of<supervise>(std::move(*m));
  if (auto m = match(value, "whereis"_a, bind<term>))
    return whereis{std::get<0>(*m)};
  if (auto m = match(value, "call"_a, bind<handle_id>, bind<term>))
    return made_of<call>(std::move(*m));
  if (auto m = match(value, "start"_a, bind<term>, bind<term>))
    return made_of<start>(std::move(*m));
  if (auto m = match(value, "adopt"_a, bind<term>, bind<term>))
    return made_of<adopt>(std::move(*m));
  return std::nullopt;
}

std::optional<io::output> parse_stream(const atom& name) {
  if (name == "data")
    return io::output::out;
  if (name == "error")
    return io::output::err;
  return std::nullopt;
}

} // namespace

incoming parse(const term& frame) {
  if (auto m = match(frame, "send"_a, bind<handle_id>, bind<term>))
    return made_of<send>(std::move(*m));
  if (auto m = match(frame, "ack"_a, bind<handle_id>, bind<atom>, bind<std::size_t>)) {
    const auto& [id, name, bytes] = *m;
    if (const auto stream = parse_stream(name))
      return ack{id, *stream, bytes};
  }
  if (auto m = match(frame, "request"_a, bind<term>, bind<term>)) {
    auto& [ref, value] = *m;
    if (auto body = parse_request(value))
      return request{std::move(ref), std::move(*body)};
    return malformed_request{std::move(ref), std::move(value)};
  }
  if (auto m = match(frame, "cast"_a, bind<handle_id>, bind<term>))
    return made_of<cast>(std::move(*m));
  if (auto m = match(frame, "exit"_a, bind<handle_id>, bind<term>))
    return made_of<exit>(std::move(*m));
  if (auto m = match(frame, "exit"_a, bind<handle_id>, bind<pid>, bind<term>))
    return made_of<exit_from>(std::move(*m));
  if (auto m = match(frame, "proxy"_a, bind<handle_id>, bind<pid>))
    return made_of<proxy>(std::move(*m));
  if (auto m = match(frame, "gone"_a, bind<term>, bind<term>))
    return made_of<gone>(std::move(*m));
  if (auto m = match(frame, "reply"_a, tup(bind<term>, bind<std::uint64_t>), bind<term>))
    return made_of<reply>(std::move(*m));
  if (auto m = match(frame, "hello"_a, bind<std::int64_t>, bind<term>))
    return made_of<hello>(std::move(*m));
  return malformed{frame};
}

std::optional<term> ref_of_request(std::span<const char> bytes) {
  constexpr std::size_t enough = std::size_t{64} << 10;
  if (bytes.empty())
    return std::nullopt;
  etf::reader source{{bytes.data() + 1, bytes.size() - 1}}; // behind the version
  etf::token head, name;
  if (!source.next(head) || head.type != etf::token_type::tuple || head.count != 3
      || !source.next(name) || name.type != etf::token_type::atom || !name.atom.is("request"))
    return std::nullopt;
  const auto rest = bytes.subspan(1 + source.position());
  std::vector<char> ref{bytes.front()};
  ref.insert(ref.end(), rest.begin(), rest.begin() + std::min(rest.size(), enough));
  auto decoded = etf::decode(ref, {.allow_trailing = true});
  return decoded ? std::optional{std::move(decoded.value)} : std::nullopt;
}

std::vector<char> with_handles(const std::vector<pid>& named, const std::vector<char>& frame) {
  std::vector<term> ids;
  for (const auto& each : named)
    ids.emplace_back(handle_id{each.serial} << 32 | each.id);
  // The frame is written into a tuple whose last element is cut off: `[]`, of one byte.
  auto result = etf::encode(tuple_of("handles"_a, actors::list{std::move(ids)}, term{}));
  result.pop_back();
  result.insert(result.end(), frame.begin() + 1, frame.end()); // without its version
  return result;
}

term greeting(std::string_view program, std::int64_t os_pid, std::string_view containment) {
  return tuple_of("hello"_a, version,
                  actors::map_of({{"program"_a, binary{program}},
                                  {"version"_a, binary{PENNING_VERSION}},
                                  {"os_pid"_a, os_pid},
                                  {"batches"_a, true},
                                  {"containment"_a, binary{containment}}}));
}

term starting_frame(const term& ref, handle_id id) {
  return tuple_of("starting"_a, ref, id);
}

term reply_ok(const term& ref, term result) {
  return tuple_of("reply"_a, ref, tuple_of("ok"_a, std::move(result)));
}

term reply_error(const term& ref, term reason) {
  return tuple_of("reply"_a, ref, tuple_of("error"_a, std::move(reason)));
}

term message_frame(handle_id id, term message) {
  return tuple_of("message"_a, id, std::move(message));
}

term down_frame(handle_id id, term reason) {
  return tuple_of("down"_a, id, std::move(reason));
}

term send_frame(const term& to, term message) {
  return tuple_of("send"_a, to, std::move(message));
}

term cast_frame(const term& to, term message) {
  return tuple_of("cast"_a, to, std::move(message));
}

term call_frame(const term& to, std::uint64_t number, term message) {
  return tuple_of("call"_a, tuple_of(to, number), to, std::move(message));
}

term signal_frame(const term& to, term from, term reason) {
  return tuple_of("exit"_a, to, std::move(from), std::move(reason));
}

term link_frame(const term& to, term from, bool on) {
  return tuple_of(on ? "link"_a : "unlink"_a, to, std::move(from));
}

term watch_frame(const term& to) {
  return tuple_of("watch"_a, to);
}

term error_frame(std::string_view what, term detail) {
  return tuple_of("error"_a, atom{what}, std::move(detail));
}

} // namespace penning::bridge::port_protocol
