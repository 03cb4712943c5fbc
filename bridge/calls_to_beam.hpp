#pragma once

#include <penning/actors/caf.hpp>
#include <penning/actors/term.hpp>

#include <cstdint>
#include <unordered_map>

namespace penning::bridge {

using actors::term;

/// Requests of C++ actors to processes of the BEAM that are not answered yet.
class calls_to_beam {
 public:
  /// Returns the number of the call.
  std::uint64_t add(const term& name, actors::answer_to from);

  /// An answer; the second one to a call counts for nothing.
  void answer(const term& name, std::uint64_t number, caf::message answer);

  /// The process has ended: whoever still waits is told why.
  void fail_all(const term& name, const term& reason);

  /// So is whoever waits for any of them.
  void fail_all(const term& reason);

 private:
  using waiting = std::unordered_map<std::uint64_t, actors::answer_to>;

  std::unordered_map<term, waiting> all_; // by the name of the process
  std::uint64_t last_ = 0;
};

} // namespace penning::bridge
