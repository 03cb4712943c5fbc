#include <penning/actors/option_value.hpp>

#include <optional>
#include <span>

namespace penning::actors {

option_value::option_value(std::string name, term value)
    : name_{std::move(name)},
      value_{std::move(value)} {}

void option_value::refuse(std::string problem) const {
  throw io::option_error{name_.empty() ? "options" : name_, to_string(value_), std::move(problem)};
}

void option_value::refuse_number(bool is_too_small, const term& min, const term& max) const {
  if (value_.type() != term_type::integer)
    refuse("must be an integer");
  if (is_too_small && min == term{0})
    refuse("must not be negative");
  if (is_too_small && max >= term{std::numeric_limits<std::int64_t>::max()})
    refuse("must be at least " + to_string(min));
  refuse("must be from " + to_string(min) + " to " + to_string(max));
}

void option_value::refuse_word(const std::vector<std::string_view>& known) const {
  std::string all;
  for (const auto& each : known) {
    all += &each == &known.front() ? "" : &each == &known.back() ? " or " : ", ";
    all += each;
  }
  refuse("must be " + all);
}

std::string option_value::text(const char* wanted) const {
  auto text = text_of(value_);
  if (!text)
    refuse(wanted);
  return std::move(*text);
}

std::string option_value::bytes() const {
  auto bytes = iodata_to_bytes(value_);
  if (!bytes)
    refuse("must be text");
  return std::move(*bytes);
}

std::string option_value::word(const char* wanted) const {
  for (const auto* constant : {"true", "false", "nil", "undefined"})
    if (value_.is_atom(constant))
      refuse(wanted);
  const auto* name = value_.get_if<atom>();
  return name ? std::string{name->text()} : text(wanted);
}

bool option_value::flag() const {
  const auto value = value_.as<bool>();
  if (!value)
    refuse("must be true or false");
  return *value;
}

double option_value::number() const {
  if (const auto real = value_.as<double>())
    return *real;
  if (const auto whole = value_.as<std::int64_t>())
    return static_cast<double>(*whole);
  refuse("must be a number");
}

std::vector<option_value> option_value::items() const {
  const auto* elements = value_.get_if<list>();
  if (!elements || !elements->is_proper())
    refuse("must be a list");
  return parts();
}

std::vector<std::string> option_value::texts() const {
  std::vector<std::string> result;
  for (const auto& each : items())
    result.push_back(each.bytes());
  return result;
}

std::vector<std::string> option_value::words() const {
  std::vector<std::string> result;
  for (const auto& each : items())
    result.push_back(each.word());
  return result;
}

std::vector<std::pair<std::string, option_value>> option_value::entries() const {
  std::vector<std::pair<std::string, option_value>> result;
  const auto add = [&](const term& key, const term& value) {
    const auto name = option_value{name_, key}.word();
    result.emplace_back(name, option_value{name_.empty() ? name : name_ + '.' + name, value});
  };
  if (const auto* entries = value_.get_if<map>()) {
    for (const auto& [key, value] : *entries)
      add(key, value);
    return result;
  }
  const auto pairs = value_.as<std::vector<term>>();
  if (!pairs)
    refuse("must be a map or a list of pairs");
  for (const auto& each : *pairs) {
    const auto pair = match(each, bind<term>, bind<term>);
    if (!pair)
      option_value{name_, each}.refuse("must be a pair of a name and a value");
    add(std::get<0>(*pair), std::get<1>(*pair));
  }
  return result;
}

std::vector<option_value> option_value::parts() const {
  std::span<const term> elements;
  if (const auto* together = value_.get_if<tuple>())
    elements = together->elements();
  else if (const auto* several = value_.get_if<list>(); several && several->is_proper())
    elements = several->elements();
  std::vector<option_value> result;
  for (const auto& each : elements)
    result.emplace_back(name_, each);
  return result;
}

option_value option_value::pair_in_list() const {
  const auto* pair = value_.get_if<tuple>();
  return pair && pair->size() == 2 ? option_value{name_, list_of(value_)} : *this;
}

} // namespace penning::actors
