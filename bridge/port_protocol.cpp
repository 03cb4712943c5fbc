#include <penning/bridge/port_protocol.hpp>

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
  if (auto m = match(frame, "exit"_a, bind<handle_id>, bind<term>))
    return made_of<exit>(std::move(*m));
  if (auto m = match(frame, "hello"_a, bind<std::int64_t>, bind<term>))
    return made_of<hello>(std::move(*m));
  return malformed{frame};
}

term greeting(std::string_view program, std::int64_t os_pid, std::string_view containment) {
  return tuple_of("hello"_a, version,
                  actors::map_of({{"program"_a, binary{program}},
                                  {"version"_a, binary{PENNING_VERSION}},
                                  {"os_pid"_a, os_pid},
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

term error_frame(std::string_view what, term detail) {
  return tuple_of("error"_a, atom{what}, std::move(detail));
}

} // namespace penning::bridge::port_protocol
