#pragma once

#include <penning/bridge/message_term.hpp>

#include <caf/message.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

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
    writers_[actors::content_key::of<T>()] = [](const caf::message& message, beam* home) {
      T copy = message.get_as<T>(0);
      return to_term(copy, home);
    };
    return *this;
  }

  /// The message for an actor: the type of this tag and arity if there is one and its fields fit,
  /// else `term`. `home` is where its pids come from.
  caf::message to_message(const term& value, beam* home = nullptr) const;

  /// The term for what an actor sent or answered: `ok` for nothing, a `term` itself, a number or
  /// text as such, a known type by its declaration; nothing for any other. `home` is where it goes.
  std::optional<term> from_message(const caf::message& message, beam* home = nullptr) const;

 private:
  /// Of what may be a message: its tag and its number of fields.
  struct shape {
    std::string tag;
    std::size_t fields = 0;
  };
  struct shape_view {
    std::string_view tag;
    std::size_t fields = 0;
    shape_view(std::string_view its_tag, std::size_t count) : tag{its_tag}, fields{count} {}
    shape_view(const shape& other) : tag{other.tag}, fields{other.fields} {}
    auto operator<=>(const shape_view&) const = default;
  };
  struct by_shape {
    using is_transparent = void;
    bool operator()(const shape_view& a, const shape_view& b) const { return a < b; }
  };
  static std::optional<shape_view> shape_of(const term& value);

  std::map<shape, std::function<std::optional<caf::message>(const term&, beam*)>, by_shape>
    readers_;
  std::unordered_map<actors::content_key, std::function<term(const caf::message&, beam*)>,
                     actors::content_key::hash>
    writers_;
};

} // namespace penning::bridge
