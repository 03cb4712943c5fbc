#include <penning/actors/term.hpp>

#include <penning/actors/term_utf8.hpp>

#include <algorithm>
#include <stdexcept>

namespace penning::actors {
namespace {

const term& true_term() {
  static const term value{true};
  return value;
}

bool is_character(const term& t) noexcept {
  const auto* c = t.get_if<std::int64_t>();
  return c && *c >= 0 && *c <= 0x10ffff && (*c < 0xd800 || *c > 0xdfff);
}

const term* lookup_in_list(const list& options, const term& key) noexcept {
  for (const auto& option : options) {
    const auto* pair = option.get_if<tuple>();
    if (pair && pair->size() == 2 && (*pair)[0] == key)
      return &(*pair)[1];
    if (option.is<atom>() && option == key)
      return &true_term();
  }
  return nullptr;
}

/// Appends one element of iodata; a list waits in `pending`.
bool append_iodata(const term& t, std::string& out, std::vector<std::span<const term>>& pending) {
  if (const auto* bytes = t.get_if<binary>()) {
    out.append(bytes->view());
    return true;
  }
  if (const auto* l = t.get_if<list>()) {
    if (!l->is_proper() && !l->tail().is<binary>())
      return false;
    if (!l->empty())
      pending.emplace_back(l->node()->items()); // with the tail
    return true;
  }
  const auto* byte = t.get_if<std::int64_t>();
  if (!byte || *byte < 0 || *byte > 0xff)
    return false;
  out.push_back(static_cast<char>(*byte));
  return true;
}

} // namespace

list charlist(std::string_view text) {
  if (!utf8::length(text))
    throw std::invalid_argument("a charlist is made from UTF-8");
  std::vector<term> characters;
  while (!text.empty())
    characters.emplace_back(static_cast<std::uint32_t>(utf8::take(text)));
  return list{std::move(characters)};
}

const term* lookup(const term& options, const term& key) noexcept {
  if (const auto* m = options.get_if<map>())
    return m->find(key);
  const auto* l = options.get_if<list>();
  return l ? lookup_in_list(*l, key) : nullptr;
}

std::optional<std::string> iodata_to_bytes(const term& iodata) {
  std::string out;
  std::vector<std::span<const term>> pending;
  if (iodata.is<std::int64_t>() || !append_iodata(iodata, out, pending))
    return std::nullopt;
  while (!pending.empty()) {
    auto& rest = pending.back();
    if (rest.empty()) {
      pending.pop_back();
      continue;
    }
    const auto& element = rest.front();
    rest = rest.subspan(1);
    if (!append_iodata(element, out, pending))
      return std::nullopt;
  }
  return out;
}

bool is_charlist(const term& t) noexcept {
  const auto* l = t.get_if<list>();
  return l && l->is_proper() && std::all_of(l->begin(), l->end(), is_character);
}

std::optional<std::string> text_of(const term& t) {
  if (const auto* bytes = t.get_if<binary>())
    return std::string{bytes->view()};
  if (!is_charlist(t))
    return std::nullopt;
  std::string out;
  for (const auto& c : *t.get_if<list>())
    utf8::append(out, static_cast<char32_t>(*c.get_if<std::int64_t>()));
  return out;
}

} // namespace penning::actors
