// What a frame of docs/protocol.md is taken for. An input is a stream of frames.

#include "fuzz.hpp"

#include <penning/bridge/etf.hpp>
#include <penning/bridge/port_protocol.hpp>
#include <penning/io/packet_decoder.hpp>

#include <string_view>
#include <variant>
#include <vector>

namespace {

namespace etf = penning::bridge::etf;
namespace protocol = penning::bridge::port_protocol;
using namespace penning::actors::literals;
using penning::actors::term;
using penning::actors::tuple_of;
using penning::fuzz::require;
using penning::io::packet_decoder;

/// The request, and the frame, that was parsed.
struct rebuilt {
  term operator()(const protocol::open& x) const {
    return tuple_of("open"_a, x.program, x.args, x.options);
  }
  term operator()(const protocol::adopt& x) const {
    return tuple_of("adopt"_a, x.os_pid, x.options);
  }
  term operator()(const protocol::supervise& x) const {
    return tuple_of("supervise"_a, x.flags, x.specs);
  }
  term operator()(const protocol::start& x) const {
    return tuple_of("start"_a, x.name, x.arguments);
  }
  term operator()(const protocol::whereis& x) const { return tuple_of("whereis"_a, x.name); }
  term operator()(const protocol::call& x) const { return tuple_of("call"_a, x.id, x.message); }
  term operator()(const protocol::info&) const { return "info"_a; }

  term operator()(const protocol::hello& x) const {
    return tuple_of("hello"_a, x.version, x.options);
  }
  term operator()(const protocol::request& x) const {
    return tuple_of("request"_a, x.ref, std::visit(*this, x.body));
  }
  term operator()(const protocol::send& x) const { return tuple_of("send"_a, x.id, x.message); }
  term operator()(const protocol::ack& x) const {
    return tuple_of("ack"_a, x.id, x.stream == penning::io::output::out ? "data"_a : "error"_a,
                    x.bytes);
  }
  term operator()(const protocol::exit& x) const { return tuple_of("exit"_a, x.id, x.reason); }
  term operator()(const protocol::cast& x) const { return tuple_of("cast"_a, x.id, x.message); }
  term operator()(const protocol::exit_from& x) const {
    return tuple_of("exit"_a, x.id, x.from, x.reason);
  }
  term operator()(const protocol::proxy& x) const { return tuple_of("proxy"_a, x.id, x.pid); }
  term operator()(const protocol::gone& x) const { return tuple_of("gone"_a, x.name, x.reason); }
  term operator()(const protocol::reply& x) const {
    return tuple_of("reply"_a, tuple_of(x.name, x.number), x.result);
  }
  term operator()(const protocol::malformed& x) const { return x.value; }
  term operator()(const protocol::malformed_request& x) const {
    return tuple_of("request"_a, x.ref, x.value);
  }
};

/// What is answered with goes to the BEAM, whatever a peer has put into it.
void check_can_be_sent(const term& frame) {
  // An answer wraps what came in a few containers more.
  const auto again = etf::decode(etf::encode(frame), {.limits = {.max_depth = 2048}});
  require(again && again.value == frame, "what is sent can be read");
}

/// Who asked is told what is wrong with the bytes of his request, also if they are no term.
void check_ref(const std::vector<char>& bytes) {
  if (const auto ref = protocol::ref_of_request(bytes))
    check_can_be_sent(protocol::reply_error(*ref, "bad_term"_a));
}

void check_frame(const term& frame) {
  const auto parsed = protocol::parse(frame);
  require(std::visit(rebuilt{}, parsed) == frame, "parsing a frame loses nothing of it");
  check_can_be_sent(protocol::error_frame("bad_frame", frame));
  if (const auto* request = std::get_if<protocol::malformed_request>(&parsed))
    check_can_be_sent(
      protocol::reply_error(request->ref, tuple_of("bad_request"_a, request->value)));
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  packet_decoder decoder{size};
  std::string_view stream{reinterpret_cast<const char*>(data), size};
  std::vector<char> frame;
  while (decoder.next(stream, frame) == packet_decoder::result::frame) {
    check_ref(frame);
    if (const auto decoded = etf::decode(frame))
      check_frame(decoded.value);
  }
  return 0;
}
