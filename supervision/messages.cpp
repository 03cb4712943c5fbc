#include <penning/supervision/messages.hpp>

#include <penning/actors/process.hpp>

#include <utility>

namespace penning::supervision {

using namespace actors::literals;
using actors::tuple_of;
namespace atoms = actors::atoms;

supervisor_reply ok_reply() {
  return {atoms::ok(), nullptr};
}

supervisor_reply ok_reply(const caf::actor& pid, const term& info) {
  if (!pid)
    return {tuple_of(atoms::ok(), atoms::undefined()), nullptr};
  const auto process = actors::to_pid(pid.address());
  if (info == atoms::undefined())
    return {tuple_of(atoms::ok(), process), pid};
  return {tuple_of(atoms::ok(), process, info), pid};
}

supervisor_reply error_reply(term reason) {
  return {tuple_of(atoms::error(), std::move(reason)), nullptr};
}

bool supervisor_reply::is_ok() const {
  return result.is_atom("ok") || result.is_tuple("ok", 2) || result.is_tuple("ok", 3);
}

} // namespace penning::supervision
