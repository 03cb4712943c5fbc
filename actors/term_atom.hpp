#pragma once

#include <penning/actors/term_bytes.hpp>

#include <compare>
#include <concepts>
#include <string_view>
#include <utility>

namespace penning::actors {

/// An Erlang atom: at most 255 characters of UTF-8.
///
/// Not interned: a peer that sends ever new atoms fills no table. Atoms are ordered by their
/// characters, as Erlang orders them.
/// Errors: `std::invalid_argument` for a text that no Erlang atom can have.
class atom {
 public:
  static constexpr std::size_t max_characters = 255;

  atom() = default;
  explicit atom(std::string_view text);

  /// Whether `text` is UTF-8 of at most `max_characters`.
  static bool valid(std::string_view text) noexcept;
  /// For a caller that has checked `valid(text)` itself.
  static atom unchecked(std::string_view text) { return atom{shared_bytes{text}}; }

  std::string_view text() const noexcept { return text_.view(); }

  friend bool operator==(const atom&, const atom&) noexcept = default;
  friend std::strong_ordering operator<=>(const atom& a, const atom& b) noexcept {
    return a.text() <=> b.text();
  }
  // A template, so that `term == "text"` does not consider atoms.
  template <class Text>
  requires(
    std::convertible_to<const Text&, std::string_view> && !std::same_as<Text, atom>) friend bool
  operator==(const atom& a, const Text& text) noexcept {
    return a.text() == std::string_view{text};
  }

 private:
  explicit atom(shared_bytes text) noexcept : text_{std::move(text)} {}

  shared_bytes text_;
};

inline namespace literals {

/// `"ok"_a` is the atom `ok`.
inline atom operator""_a(const char* text, std::size_t size) {
  return atom{std::string_view{text, size}};
}

} // namespace literals

/// The atoms that OTP's own protocols use.
namespace atoms {

inline atom normal() {
  return atom::unchecked("normal");
}
inline atom shutdown() {
  return atom::unchecked("shutdown");
}
inline atom kill() {
  return atom::unchecked("kill");
}
inline atom killed() {
  return atom::unchecked("killed");
}
inline atom noproc() {
  return atom::unchecked("noproc");
}
inline atom noconnection() {
  return atom::unchecked("noconnection");
}
inline atom ok() {
  return atom::unchecked("ok");
}
inline atom error() {
  return atom::unchecked("error");
}
inline atom undefined() {
  return atom::unchecked("undefined");
}
inline atom infinity() {
  return atom::unchecked("infinity");
}
inline atom timeout() {
  return atom::unchecked("timeout");
}
inline atom true_() {
  return atom::unchecked("true");
}
inline atom false_() {
  return atom::unchecked("false");
}
/// Elixir's nil, an atom; Erlang's empty list is `list{}`.
inline atom nil() {
  return atom::unchecked("nil");
}

} // namespace atoms

} // namespace penning::actors
