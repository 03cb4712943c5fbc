#include <penning/actors/term_utf8.hpp>

#include <cstdint>
#include <cstring>

namespace penning::actors::utf8 {
namespace {

constexpr bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

/// How many bytes the character that starts with `first` takes; 0 if none starts so.
constexpr std::size_t width(unsigned char first) {
  if (first < 0x80)
    return 1;
  if (first < 0xc2 || first > 0xf4) // continuation bytes, overlong two-byte forms, > U+10FFFF
    return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/// Refuses what the first byte alone does not show: overlong forms, surrogates, > U+10FFFF.
constexpr bool second_byte_fits(unsigned char first, unsigned char second) {
  switch (first) {
  case 0xe0: return second >= 0xa0;
  case 0xed: return second < 0xa0;
  case 0xf0: return second >= 0x90;
  case 0xf4: return second < 0x90;
  default: return true;
  }
}

/// The width of the character at the start of `text`, 0 if it is not valid.
std::size_t valid_width(std::string_view text) {
  const auto n = width(static_cast<unsigned char>(text[0]));
  if (n < 2)
    return n;
  if (text.size() < n)
    return 0;
  for (std::size_t i = 1; i < n; ++i)
    if (!continues(text[i]))
      return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  return second_byte_fits(static_cast<unsigned char>(text[0]), second) ? n : 0;
}

template <class Word>
bool has_high_bits(const char* from) {
  Word word = 0;
  std::memcpy(&word, from, sizeof word);
  return (word & static_cast<Word>(0x8080808080808080U)) != 0;
}

/// Whether all bytes are ASCII, as in nearly all atoms. Reads words, the last of which may overlap
/// the one before, so that a short atom costs two of them and not a loop over bytes.
bool is_ascii(std::string_view text) {
  const auto* end = text.data() + text.size();
  if (text.size() >= 8) {
    for (const auto* at = text.data(); at < end - 8; at += 8)
      if (has_high_bits<std::uint64_t>(at))
        return false;
    return !has_high_bits<std::uint64_t>(end - 8);
  }
  if (text.size() >= 4)
    return !has_high_bits<std::uint32_t>(text.data()) && !has_high_bits<std::uint32_t>(end - 4);
  if (text.size() >= 2)
    return !has_high_bits<std::uint16_t>(text.data()) && !has_high_bits<std::uint16_t>(end - 2);
  return text.empty() || !has_high_bits<std::uint8_t>(text.data());
}

} // namespace

std::optional<std::size_t> length(std::string_view text) noexcept {
  if (is_ascii(text))
    return text.size();
  std::size_t characters = 0;
  while (!text.empty()) {
    const auto n = valid_width(text);
    if (n == 0)
      return std::nullopt;
    text.remove_prefix(n);
    ++characters;
  }
  return characters;
}

char32_t take(std::string_view& text) noexcept {
  const auto first = static_cast<unsigned char>(text[0]);
  const auto n = width(first);
  auto character = static_cast<char32_t>(n < 2 ? first : first & (0x7fU >> n));
  for (std::size_t i = 1; i < n; ++i)
    character = character << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
  text.remove_prefix(n == 0 ? 1 : n);
  return character;
}

void append(std::string& out, char32_t c) {
  const auto byte = [&](char32_t value) { out.push_back(static_cast<char>(value)); };
  if (c < 0x80)
    return byte(c);
  if (c < 0x800) {
    byte(0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      byte(0xe0 | c >> 12);
    } else {
      byte(0xf0 | c >> 18);
      byte(0x80 | (c >> 12 & 0x3f));
    }
    byte(0x80 | (c >> 6 & 0x3f));
  }
  byte(0x80 | (c & 0x3f));
}

std::string from_latin1(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const auto c : text)
    append(out, static_cast<unsigned char>(c));
  return out;
}

std::optional<std::string> to_latin1(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto c = take(text);
    if (c > 0xff)
      return std::nullopt;
    out.push_back(static_cast<char>(c));
  }
  return out;
}

} // namespace penning::actors::utf8
