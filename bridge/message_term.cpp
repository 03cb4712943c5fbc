#include <penning/bridge/message_term.hpp>

#include <chrono>

namespace penning::bridge {

using namespace actors::literals;
using actors::bind;
using actors::match;
using std::chrono::microseconds;

term field_term<io::exit_status>::write(const io::exit_status& value) {
  if (value.how == io::exit_status::kind::status)
    return actors::tuple_of("status"_a, value.code);
  return actors::tuple_of("signal"_a, value.code, value.core_dumped);
}

std::optional<io::exit_status> field_term<io::exit_status>::read(const term& value) {
  using enum io::exit_status::kind;
  if (auto m = match(value, "status"_a, bind<int>))
    return io::exit_status{status, std::get<0>(*m), false};
  if (auto m = match(value, "signal"_a, bind<int>, bind<bool>))
    return io::exit_status{signal, std::get<0>(*m), std::get<1>(*m)};
  return std::nullopt;
}

term field_term<io::resource_usage>::write(const io::resource_usage& value) {
  return actors::map_of({{"user"_a, value.user.count()},
                         {"system"_a, value.system.count()},
                         {"max_rss"_a, value.max_rss_kib},
                         {"oom_killed"_a, value.oom_killed}});
}

std::optional<io::resource_usage> field_term<io::resource_usage>::read(const term& value) {
  const auto user = actors::lookup_as<std::int64_t>(value, "user");
  const auto system = actors::lookup_as<std::int64_t>(value, "system");
  const auto max_rss = actors::lookup_as<std::int64_t>(value, "max_rss");
  const auto oom_killed = actors::lookup_as<bool>(value, "oom_killed");
  if (!user || !system || !max_rss || !oom_killed)
    return std::nullopt;
  return io::resource_usage{microseconds{*user}, microseconds{*system}, *max_rss, *oom_killed};
}

term field_term<actors::line>::write(actors::line& value) {
  return actors::tuple_of(value.complete ? "eol"_a : "noeol"_a,
                          actors::binary{std::move(value.bytes)});
}

std::optional<actors::line> field_term<actors::line>::read(const term& value) {
  const auto parts = match(value, bind<actors::atom>, bind<term>);
  if (!parts || (std::get<0>(*parts) != "eol" && std::get<0>(*parts) != "noeol"))
    return std::nullopt;
  auto bytes = field_term<std::vector<char>>::read(std::get<1>(*parts));
  if (!bytes)
    return std::nullopt;
  return actors::line{std::move(*bytes), std::get<0>(*parts) == "eol"};
}

term field_term<caf::actor>::write(const caf::actor& value, beam* home) {
  return home ? home->name_of(value) : term{actors::to_pid(value.address())};
}

std::optional<caf::actor> field_term<caf::actor>::read(const term& value, beam* home) {
  const auto* pid = value.get_if<actors::pid>();
  auto actor = pid && home ? home->actor_of(*pid) : nullptr;
  return actor ? std::optional{std::move(actor)} : std::nullopt;
}

} // namespace penning::bridge
