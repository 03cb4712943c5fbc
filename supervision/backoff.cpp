#include <penning/supervision/backoff.hpp>

#include <penning/actors/timer.hpp>
#include <penning/supervision/child_spec.hpp>

#include <algorithm>
#include <cmath>
#include <random>
#include <string_view>

namespace penning::supervision {

using namespace actors::literals;
using actors::atom;
using actors::tuple_of;
using std::chrono::milliseconds;

namespace {

[[noreturn]] void refuse(const term& problem) {
  throw spec_error{tuple_of("invalid_backoff"_a, problem)};
}

[[noreturn]] void refuse(const term& key, const term& value) {
  refuse(tuple_of(key, value));
}

double number(const term& key, const term& value) {
  if (const auto whole = value.as<std::int64_t>())
    return static_cast<double>(*whole);
  if (const auto real = value.as<double>())
    return *real;
  refuse(key, value);
}

milliseconds time(const term& key, const term& value) {
  const auto whole = value.as<std::int64_t>();
  if (!whole)
    refuse(key, value);
  return milliseconds{*whole};
}

void set(backoff& how, const term& key, const term& value) {
  if (key == "initial"_a)
    how.initial = time(key, value);
  else if (key == "max"_a)
    how.max = time(key, value);
  else if (key == "factor"_a)
    how.factor = number(key, value);
  else if (key == "jitter"_a)
    how.jitter = number(key, value);
  else if (key == "reset_after"_a)
    how.reset_after = time(key, value);
  else
    refuse(key, value);
}

/// From 0 to 1. Which sequence it is does not matter, but two programs shall not have the same.
double random_fraction() {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution{}(engine);
}

} // namespace

void validate(const backoff& how) {
  const auto check = [](atom key, milliseconds value, milliseconds min) {
    if (value < min || value > actors::max_delay)
      refuse(key, value.count());
  };
  check("initial"_a, how.initial, milliseconds{1});
  check("max"_a, how.max, how.initial);
  check("reset_after"_a, how.reset_after, milliseconds{0});
  if (!(how.factor >= 1) || !std::isfinite(how.factor))
    refuse("factor"_a, how.factor);
  if (!(how.jitter >= 0 && how.jitter <= 1))
    refuse("jitter"_a, how.jitter);
}

backoff backoff_from_term(const term& value) {
  backoff how;
  if (const auto* entries = value.get_if<actors::map>()) {
    for (const auto& [key, entry] : *entries)
      set(how, key, entry);
  } else if (const auto* pairs = value.get_if<actors::list>(); pairs && pairs->is_proper()) {
    for (const auto& each : *pairs) {
      const auto* pair = each.get_if<actors::tuple>();
      if (!pair || pair->size() != 2)
        refuse(value);
      set(how, (*pair)[0], (*pair)[1]);
    }
  } else {
    refuse(value);
  }
  validate(how);
  return how;
}

term to_term(const backoff& how) {
  return actors::map_of({{"initial"_a, how.initial.count()},
                         {"max"_a, how.max.count()},
                         {"factor"_a, how.factor},
                         {"jitter"_a, how.jitter},
                         {"reset_after"_a, how.reset_after.count()}});
}

milliseconds delay(const backoff& how, unsigned failures, double random) {
  const auto limit = static_cast<double>(how.max.count());
  const auto grown = static_cast<double>(how.initial.count()) * std::pow(how.factor, failures);
  const auto capped = std::isfinite(grown) ? std::min(grown, limit) : limit;
  return milliseconds{std::llround(capped * (1 - how.jitter * random))};
}

milliseconds restart_delay::next(const backoff& how, time_point now) {
  if (up_since_ && now - *up_since_ >= how.reset_after)
    failures_ = 0;
  up_since_.reset();
  return delay(how, failures_++, random_fraction());
}

} // namespace penning::supervision
