#pragma once

#include <penning/bridge/message_term.hpp>

#include <caf/message.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace penning::bridge {

/// The message types that cross the wall as themselves. What has no type here crosses as a `term`.
class vocabulary {
 public:
  /// Adds a message type; of two with the same tag and number of fields the later one counts.
  template <actors::message T>
  vocabulary& add() {
    T probe{};
    readers_[{T::tag, std::tuple_size_v<decltype(probe.fields())>}] =
      [](const term& value, beam* home) -> std::optional<caf::message> {
      auto message = from_term<T>(value, home);
      return message ? std::optional{caf::make_message(std::move(*message))} : std::nullopt;
    };
    writers_.push_back([](const caf::message& message, beam* home) -> std::optional<term> {
      if (!message.match_elements<T>())
        return std::nullopt;
      T copy = message.get_as<T>(0);
      return to_term(copy, home);
    });
    return *this;
  }

  /// The message for an actor: the type of this tag and arity if there is one and its fields fit,
  /// else `term`. `home` is where its pids come from.
  caf::message to_message(const term& value, beam* home = nullptr) const;

  /// The term for what an actor sent or answered: `ok` for nothing, a `term` itself, a number or text
  /// as such, a known type by its declaration; nothing for any other. `home` is where it goes.
  std::optional<term> from_message(const caf::message& message, beam* home = nullptr) const;

 private:
  using key = std::pair<std::string, std::size_t>;
  std::map<key, std::function<std::optional<caf::message>(const term&, beam*)>> readers_;
  std::vector<std::function<std::optional<term>(const caf::message&, beam*)>> writers_;
};

} // namespace penning::bridge
