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
                         {"max_rss"_a, value.max_rss_kib}});
}

std::optional<io::resource_usage> field_term<io::resource_usage>::read(const term& value) {
  const auto user = actors::lookup_as<std::int64_t>(value, "user");
  const auto system = actors::lookup_as<std::int64_t>(value, "system");
  const auto max_rss = actors::lookup_as<std::int64_t>(value, "max_rss");
  if (!user || !system || !max_rss)
    return std::nullopt;
  return io::resource_usage{microseconds{*user}, microseconds{*system}, *max_rss};
}

} // namespace penning::bridge
