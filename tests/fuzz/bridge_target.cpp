// The bridge as a whole: frames in, until the other side closes. An input is a stream of frames.
//
// Nothing is started: what would start an OS process is only read, up to where it would be. An `Id`
// of 1 in an input is the published actor, 2 the bridge, and 3 what it starts first.

#include "fuzz.hpp"

#include <penning/actors/os_process_words.hpp>
#include <penning/actors/runtime.hpp>
#include <penning/bridge/beam_port_bridge.hpp>
#include <penning/bridge/etf.hpp>
#include <penning/bridge/open_options.hpp>
#include <penning/bridge/supervisor_call.hpp>
#include <penning/io/packet_decoder.hpp>
#include <penning/supervision/report.hpp>

#include <caf/scoped_actor.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <variant>

namespace {

namespace actors = penning::actors;
namespace bridge = penning::bridge;
namespace etf = bridge::etf;
namespace io = penning::io;
namespace protocol = bridge::port_protocol;
using namespace actors::literals;
using actors::term;
using actors::tuple_of;
using penning::fuzz::require;
using frame_bytes = std::vector<char>;

struct add {
  static constexpr auto tag = "add";
  std::int64_t amount = 0;
  auto fields() { return std::tuple{actors::field{"amount", amount}}; }
};
using actors::inspect;

/// What the BEAM may find by its name.
class published : public actors::process {
 public:
  using process::process;

 protected:
  caf::message_handler receive() override {
    return {[](const add& message) { return message.amount; },
            [](const term& other) { return other; },
            [](const actors::command&) { return caf::make_error(caf::sec::unexpected_message); }};
  }
};

/// Never destroyed: an actor system must not outlive the thread-local caches of CAF, as one with
/// static storage would.
actors::runtime& runtime() {
  static auto& the_one = *new actors::runtime{{.threads = 2}};
  return the_one;
}

std::vector<frame_bytes> frames_of(std::string_view stream) {
  io::packet_decoder decoder{stream.size()};
  std::vector<frame_bytes> frames;
  for (frame_bytes frame; decoder.next(stream, frame) == io::packet_decoder::result::frame;)
    frames.push_back(std::move(frame));
  return frames;
}

void append(std::string& stream, const frame_bytes& frame) {
  for (int shift = 24; shift >= 0; shift -= 8)
    stream.push_back(static_cast<char>(frame.size() >> shift));
  stream.append(frame.data(), frame.size());
}

/// Runs what reads a term that may be refused.
template <class Read>
void only_read(Read read) {
  try {
    read();
  } catch (const io::option_error&) {
  } catch (const penning::supervision::spec_error&) {
  }
}

/// Reads what would start an OS process as the bridge does. Whether the request may be sent on.
class starts {
 public:
  starts(bridge::child_maker maker) : maker_{std::move(maker)} {}

  bool operator()(const protocol::open& x) const {
    only_read([&] { bridge::to_options(x.program, x.args, x.options); });
    return false;
  }
  bool operator()(const protocol::adopt& x) const {
    only_read([&] { actors::adopt_options_from(x.os_pid, x.options); });
    return false;
  }
  bool operator()(const protocol::supervise& x) const {
    only_read([&] { bridge::to_supervisor_spec(x.flags, x.specs, maker_); });
    return x.specs.is_nil();
  }
  bool operator()(const protocol::call& x) const {
    const auto start = actors::match(x.message, "start_child"_a, actors::bind<term>);
    if (start)
      only_read([&] { bridge::to_child_spec(std::get<0>(*start), maker_); });
    return !start;
  }
  template <class Other>
  bool operator()(const Other&) const {
    return true;
  }

 private:
  bridge::child_maker maker_;
};

/// What is really sent, and which replies are due to it.
class session {
 public:
  session(std::string_view stream, const caf::actor& echo)
      : starts_{{runtime().io(), echo}},
        first_{echo.id() - 1} {
    for (const auto& frame : frames_of(stream)) {
      if (bridge::to_piece(frame))
        continue; // whose Refs are not known here
      if (const auto decoded = etf::decode(frame))
        add_frame(decoded.value);
      else
        add_nonsense(frame);
    }
  }

  const std::string& sent() const { return sent_; }

  /// A reply has come.
  void count(const term& reply) {
    const auto m = actors::match(reply, "reply"_a, actors::bind<term>, actors::any);
    if (m)
      require(due_[std::get<0>(*m)]-- > 0, "nobody gets a reply who has not asked");
  }

  void check_all_replied() const {
    for (const auto& [ref, due] : due_)
      require(!certain_ || due == 0, "each request gets its reply");
  }

 private:
  void add_nonsense(const frame_bytes& frame) {
    if (const auto ref = protocol::ref_of_request(frame))
      expect(*ref);
    append(sent_, frame);
  }

  void add_frame(const term& frame) {
    const auto moved = with_ids(frame);
    const auto parsed = protocol::parse(moved);
    if (const auto* request = std::get_if<protocol::request>(&parsed)) {
      if (!std::visit(starts_, request->body))
        return;
      // Whom the BEAM leaves before an actor has answered, nobody answers.
      certain_ &= !std::holds_alternative<protocol::call>(request->body);
      expect(request->ref);
    } else if (const auto* malformed = std::get_if<protocol::malformed_request>(&parsed)) {
      expect(malformed->ref);
    } else if (const auto* hello = std::get_if<protocol::hello>(&parsed)) {
      over_ |= !greeted_ && hello->version != protocol::version;
      greeted_ |= !over_;
    }
    append(sent_, etf::encode(moved));
  }

  void expect(const term& ref) {
    if (greeted_ && !over_)
      ++due_[ref];
  }

  /// The frame with the numbers that the actors of this session have.
  term with_ids(const term& frame) const {
    const auto* elements = frame.get_if<actors::tuple>();
    if (!elements || elements->empty())
      return frame;
    std::vector<term> parts(elements->begin(), elements->end());
    const auto& name = parts[0];
    if (name.is_atom("request") && parts.size() == 3)
      parts[2] = with_ids(parts[2]);
    else if (parts.size() > 1 && !name.is_atom("hello"))
      if (const auto id = parts[1].as<std::uint8_t>())
        parts[1] = term{first_ + *id};
    return actors::tuple{std::move(parts)};
  }

  starts starts_;
  std::uint64_t first_;
  std::string sent_;
  std::map<term, int> due_;
  bool greeted_ = false, over_ = false, certain_ = true;
};

io::unique_fd memory_file(std::string_view content) {
  io::unique_fd file{::memfd_create("fuzz", MFD_CLOEXEC)};
  require(file && ::write(file.get(), content.data(), content.size()) == std::ssize(content)
            && ::lseek(file.get(), 0, SEEK_SET) == 0,
          "there is memory for a session");
  return file;
}

/// All that was written to a file.
std::string content_of(int file) {
  std::string content(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)), '\0');
  require(::pread(file, content.data(), content.size(), 0) == std::ssize(content), "it is read");
  return content;
}

/// Runs a bridge until the end of what was sent; what it wrote.
std::string run_bridge(const session& what, const caf::actor& echo) {
  auto out = memory_file({});
  auto options = std::make_shared<bridge::bridge_options>();
  options->program = "fuzzed";
  options->published["echo"] = echo;
  options->vocabulary.add<add>().add<actors::command>();
  options->beam = std::make_shared<bridge::beam>(runtime().system());
  options->in = memory_file(what.sent());
  options->out = io::unique_fd{::dup(out.get())};
  caf::scoped_actor self{runtime().system()};
  const auto running = actors::start_link<bridge::beam_port_bridge>(*self, runtime().io(), options);
  for (bool ended = false; !ended;)
    self->receive(
      [](const actors::init_ack&) {},
      [&](const caf::exit_msg& message) { ended = message.source == running.address(); });
  return content_of(out.get());
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  penning::supervision::set_report_log(penning::supervision::report_log::off);
  const auto echo = runtime().system().spawn<published>();
  session what{{reinterpret_cast<const char*>(data), size}, echo};
  for (const auto& bytes : frames_of(run_bridge(what, echo))) {
    const auto frame = etf::decode(bytes);
    require(frame.error == etf::errc::none, "a bridge writes frames");
    what.count(frame.value);
  }
  what.check_all_replied();
  actors::send_exit(echo, {}, actors::atoms::kill());
  caf::scoped_actor{runtime().system()}->wait_for(echo); // no thread is busy between two inputs
  return 0;
}
