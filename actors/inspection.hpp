#pragma once

// How values of the floors without CAF are inspected by it.

#include <penning/actors/caf.hpp>
#include <penning/actors/term.hpp>
#include <penning/io/exit_status.hpp>

#include <string>

namespace penning::io {

template <class Inspector>
auto inspect(Inspector& f, exit_status& x) {
  using actors::field;
  return actors::inspect_object(f, x, "exit_status", field{"how", x.how}, field{"code", x.code},
                                field{"core_dumped", x.core_dumped});
}

template <class Inspector>
auto inspect(Inspector& f, resource_usage& x) {
  using actors::field;
  return actors::inspect_object(f, x, "resource_usage", field{"user", x.user},
                                field{"system", x.system}, field{"max_rss_kib", x.max_rss_kib},
                                field{"oom_killed", x.oom_killed});
}

} // namespace penning::io

namespace penning::actors {

/// A term shows itself as Erlang text. It cannot be read back: terms do not cross CAF's own
/// network, the bridge's codec is what carries them between programs.
template <class Inspector>
auto inspect(Inspector& f, term& x) {
  auto text = to_string(x);
  return inspect_object(f, x, "term", field{"text", text});
}

} // namespace penning::actors
