#include <penning/actors/signal_name.hpp>

#include <csignal>
#include <cstring>
#include <strings.h>

namespace penning::actors {

namespace {

std::optional<int> number_of(const std::string& name) {
  const auto* text = name.c_str();
  if (std::strlen(text) != name.size()) // a NUL byte
    return std::nullopt;
  if (::strncasecmp(text, "SIG", 3) == 0)
    text += 3;
  for (int number = 1; number < SIGRTMIN; ++number)
    if (const char* known = sigabbrev_np(number); known && ::strcasecmp(known, text) == 0)
      return number;
  return std::nullopt;
}

} // namespace

std::optional<int> signal_number(const signal_choice& signal) {
  if (const auto* name = std::get_if<std::string>(&signal))
    return number_of(*name);
  const int number = std::get<int>(signal);
  return number >= 1 && number <= SIGRTMAX ? std::optional{number} : std::nullopt;
}

std::optional<int> signal_number(const term& signal) {
  if (const auto number = signal.as<int>())
    return signal_number(signal_choice{*number});
  if (const auto* name = signal.get_if<atom>())
    return number_of(std::string{name->text()});
  const auto name = signal.as<std::string>();
  return name ? number_of(*name) : std::nullopt;
}

} // namespace penning::actors
