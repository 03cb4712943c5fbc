#pragma once

// How values of the floors without CAF are inspected by it.

#include <penning/actors/caf.hpp>
#include <penning/actors/term.hpp>
#include <penning/io/exit_status.hpp>

#include <string>

namespace penning::io {

template <class Inspector>
auto inspect(Inspector& f, exit_status& x) -> typename Inspector::result_type {
  return f(caf::meta::type_name("exit_status"), x.how, x.code, x.core_dumped);
}

template <class Inspector>
auto inspect(Inspector& f, resource_usage& x) -> typename Inspector::result_type {
  return f(caf::meta::type_name("resource_usage"), x.user, x.system, x.max_rss_kib);
}

} // namespace penning::io

namespace penning::actors {

/// A term shows itself as Erlang text. It does not cross CAF's own network: the bridge's codec is
/// what carries terms between programs.
template <class Inspector>
auto inspect(Inspector& f, term& x) -> typename Inspector::result_type {
  if constexpr (Inspector::writes_state) {
    return caf::make_error(caf::sec::unknown_type);
  } else {
    auto text = to_string(x);
    return f(caf::meta::type_name("term"), text);
  }
}

} // namespace penning::actors
