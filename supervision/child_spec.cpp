#include <penning/supervision/child_spec.hpp>

#include <stdexcept>
#include <unordered_set>

namespace penning::supervision {

namespace {

void validate(const child_spec& spec) {
  const auto id = to_string(spec.id);
  if (!spec.start)
    throw std::invalid_argument{"child " + id + ": no start function"};
  const auto* time = std::get_if<std::chrono::milliseconds>(&spec.shutdown);
  if (time && (time->count() < 0 || *time > actors::max_delay))
    throw std::invalid_argument{"child " + id + ": shutdown " + std::to_string(time->count())
                                + " ms: must be from 0 to "
                                + std::to_string(actors::max_delay.count())};
}

} // namespace

void validate(const sup_flags& flags, const std::vector<child_spec>& specs) {
  if (flags.period.count() < 1)
    throw std::invalid_argument{"period " + std::to_string(flags.period.count())
                                + " s: must be at least 1"};
  std::unordered_set<term> seen;
  for (const auto& spec : specs) {
    validate(spec);
    if (!seen.insert(spec.id).second)
      throw std::invalid_argument{"child " + to_string(spec.id) + ": the id occurs twice"};
  }
}

std::string to_string(restart_type type) {
  switch (type) {
  case restart_type::permanent: return "permanent";
  case restart_type::transient: return "transient";
  default: return "temporary";
  }
}

std::string to_string(child_type type) {
  return type == child_type::worker ? "worker" : "supervisor";
}

} // namespace penning::supervision
