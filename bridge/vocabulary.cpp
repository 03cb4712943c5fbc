#include <penning/bridge/vocabulary.hpp>

namespace penning::bridge {

namespace {

template <class T>
std::optional<term> as_plain(const caf::message& message) {
  if (!message.match_elements<T>())
    return std::nullopt;
  return term{message.get_as<T>(0)};
}

template <class... Ts>
std::optional<term> first_of(const caf::message& message) {
  std::optional<term> result;
  static_cast<void>(((result = as_plain<Ts>(message)) || ...));
  return result;
}

} // namespace

std::optional<vocabulary::shape_view> vocabulary::shape_of(const term& value) {
  if (const auto* tag = value.get_if<actors::atom>())
    return shape_view{tag->text(), 0};
  const auto* elements = value.get_if<actors::tuple>();
  const auto* tag =
    elements && !elements->empty() ? (*elements)[0].get_if<actors::atom>() : nullptr;
  if (!tag)
    return std::nullopt;
  return shape_view{tag->text(), elements->size() - 1};
}

caf::message vocabulary::to_message(const term& value, beam* home) const {
  if (const auto known = shape_of(value))
    if (const auto reader = readers_.find(*known); reader != readers_.end())
      if (auto message = reader->second(value, home))
        return std::move(*message);
  return caf::make_message(value);
}

std::optional<term> vocabulary::from_message(const caf::message& message, beam* home) const {
  if (message.empty() || message.match_elements<caf::unit_t>())
    return actors::atoms::ok();
  if (const auto key = actors::content_key::of(message))
    if (const auto writer = writers_.find(*key); writer != writers_.end())
      return writer->second(message, home);
  return first_of<term, std::string, bool, double, std::int32_t, std::uint32_t, std::int64_t,
                  std::uint64_t>(message);
}

} // namespace penning::bridge
