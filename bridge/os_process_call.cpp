#include <penning/bridge/os_process_call.hpp>

#include <penning/bridge/message_term.hpp>

#include <utility>

namespace penning::bridge {

namespace {

using namespace actors::literals;

template <class Request>
std::optional<caf::message> read(const term& value) {
  auto request = from_term<Request>(value);
  return request ? std::optional{caf::make_message(std::move(*request))} : std::nullopt;
}

} // namespace

std::optional<caf::message> to_os_process_request(const term& message) {
  for (const auto reader :
       {read<actors::info>, read<actors::os_pid>, read<actors::signal>, read<actors::window_size>})
    if (auto request = reader(message))
      return request;
  return std::nullopt;
}

std::optional<term> from_os_process_answer(const caf::message& answer) {
  if (answer.match_elements<actors::info_reply>()) {
    auto reply = answer.get_as<actors::info_reply>(0);
    return to_map(reply);
  }
  if (answer.match_elements<actors::os_pid_reply>()) {
    const auto pid = answer.get_as<actors::os_pid_reply>(0).pid;
    return pid > 0 ? term{pid} : term{actors::atoms::undefined()};
  }
  return answer.empty() ? std::optional<term>{"ok"_a} : std::nullopt;
}

} // namespace penning::bridge
