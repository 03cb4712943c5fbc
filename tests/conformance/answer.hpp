#pragma once

#include "world.hpp"

#include <penning/supervision/messages.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace penning::conformance {

/// What an event returns, once it does.
struct answer {
  std::optional<term> value = {};
  bool any_order = false; ///< A list of children, of which nobody says how it is ordered.
};

/// Of one event, or of each event of a batch.
struct outcome {
  std::shared_ptr<answer> single = {};
  std::vector<outcome> batch = {};
};

outcome known(term value);

/// `[{Id, Pid, Type, Modules}]`
term to_term(const supervision::children& all);
/// As `count_children` has it: OTP's a list, Elixir's a map.
term to_term(const supervision::child_counts& count, bool is_elixir);

json to_json(const outcome& done, const world& where);
/// What is expected, with lists that have no order put into the same as ours.
json in_order(json expected, const outcome& done);

} // namespace penning::conformance
