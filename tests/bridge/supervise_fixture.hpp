#pragma once

#include "penningd_fixture.hpp"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace penning::test {

using actors::list_of;
using actors::map;
using actors::tup;

inline const term no_options = map_of({});

inline term child(const term& id, const std::string& program, std::vector<std::string> args = {},
                  const term& options = no_options, std::vector<std::pair<term, term>> more = {}) {
  more.emplace_back("id"_a, id);
  more.emplace_back("start"_a,
                    tuple_of("penning"_a, "os_process"_a,
                             list_of(program, actors::list_from(std::move(args)), options)));
  return map{more};
}

inline term shell(const term& id, const std::string& script, const term& options = no_options,
                  std::vector<std::pair<term, term>> more = {}) {
  return child(id, "/bin/sh", {"-c", script}, options, std::move(more));
}

inline term sleeper(const term& id, std::vector<std::pair<term, term>> more = {}) {
  return child(id, "sleep", {"1000"}, no_options, std::move(more));
}

inline term ready_once(const char* line) {
  return map_of({{"ready"_a, tuple_of("stdout"_a, line)}});
}

inline const term patient = map_of({{"intensity"_a, 1000}});

class Supervise : public Penningd {
 protected:
  Supervise() { greet(); }

  /// Frames that do not match are passed over.
  template <class... Patterns>
  auto skip_to(const Patterns&... patterns) {
    for (;;)
      if (auto m = match(next(), patterns...))
        return std::move(*m);
  }

  std::uint64_t supervise(const term& specs, const term& flags = patient) {
    const auto answer = request(tuple_of("supervise"_a, flags, specs));
    const auto m = match(answer, atoms::ok(), bind<std::uint64_t>);
    if (!m)
      throw std::runtime_error{to_string(answer)};
    return std::get<0>(*m);
  }

  std::uint64_t announced(std::uint64_t supervisor, const term& id) {
    return std::get<0>(skip_to("message"_a, supervisor, tup("child"_a, id, bind<std::uint64_t>)));
  }

  term call(std::uint64_t supervisor, const term& message) {
    return request(tuple_of("call"_a, supervisor, message));
  }

  /// What OTP's function returns.
  term result(std::uint64_t supervisor, const term& message) {
    const auto answer = call(supervisor, message);
    const auto m = match(answer, atoms::ok(), bind<term>);
    if (!m)
      throw std::runtime_error{to_string(answer)};
    return std::get<0>(*m);
  }

  pid_t os_pid(std::uint64_t id) {
    return std::get<0>(*match(request(tuple_of("call"_a, id, "os_pid"_a)), atoms::ok(), bind<pid_t>));
  }

  void exit(std::uint64_t id, const term& reason) { peer.send(tuple_of("exit"_a, id, reason)); }

  int children() {
    const auto info = request("info"_a);
    return actors::lookup_as<int>(std::get<0>(*match(info, atoms::ok(), bind<term>)), "children")
      .value();
  }
};

} // namespace penning::test
