#include <penning/actors/term.hpp>

#include <stdexcept>

namespace penning::actors {

bitstring::bitstring(std::string bytes, std::size_t bits) {
  if (bytes.size() != (bits + 7) / 8)
    throw std::invalid_argument("a bitstring has as many bytes as its bits need");
  last_bits_ = bits == 0 ? 8 : static_cast<unsigned>((bits - 1) % 8 + 1);
  if (!bytes.empty())
    bytes.back() = static_cast<char>(bytes.back() & (0xff << (8 - last_bits_)));
  bytes_ = shared_bytes{std::move(bytes)};
}

term::term(big_integer value) {
  if (const auto small = value.as_int64())
    value_ = *small;
  else
    value_ = box(std::move(value));
}

term::term(bitstring value) {
  if (value.last_bits() == 8)
    value_ = binary{value.bytes()};
  else
    value_ = box(std::move(value));
}

term::term(pid value) : value_{box(std::move(value))} {}
term::term(port value) : value_{box(std::move(value))} {}
term::term(reference value) : value_{box(std::move(value))} {}
term::term(external_fun value) : value_{box(std::move(value))} {}
term::term(fun value) : value_{box(std::move(value))} {}

bool term::is_tuple(std::string_view tag, std::size_t arity) const noexcept {
  const auto* t = get_if<tuple>();
  return t && t->size() == arity && arity != 0 && (*t)[0].is_atom(tag);
}

} // namespace penning::actors
