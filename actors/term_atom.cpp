#include <penning/actors/term_atom.hpp>

#include <penning/actors/term_utf8.hpp>

#include <stdexcept>

namespace penning::actors {

bool atom::valid(std::string_view text) noexcept {
  const auto characters = utf8::length(text);
  return characters && *characters <= max_characters;
}

atom::atom(std::string_view text) : text_{text} {
  if (!valid(text))
    throw std::invalid_argument("an atom is UTF-8 of at most 255 characters");
}

} // namespace penning::actors
