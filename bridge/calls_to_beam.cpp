#include <penning/bridge/calls_to_beam.hpp>

#include <penning/actors/pending_answer.hpp>

#include <utility>

namespace penning::bridge {

std::uint64_t calls_to_beam::add(const term& name, actors::answer_to from) {
  all_[name].emplace(++last_, std::move(from));
  return last_;
}

void calls_to_beam::answer(const term& name, std::uint64_t number, caf::message answer) {
  const auto process = all_.find(name);
  if (process == all_.end())
    return;
  if (auto call = process->second.extract(number))
    call.mapped().give(std::move(answer));
  if (process->second.empty())
    all_.erase(process);
}

void calls_to_beam::fail_all(const term& name, const term& reason) {
  if (auto process = all_.extract(name))
    for (auto& [number, from] : process.mapped())
      from.give(caf::make_message(actors::end_error(reason)));
}

void calls_to_beam::fail_all(const term& reason) {
  while (!all_.empty())
    fail_all(term{all_.begin()->first}, reason);
}

} // namespace penning::bridge
