#include <penning/bridge/etf_reader.hpp>

#include <penning/actors/term_utf8.hpp>
#include <penning/bridge/etf_float.hpp>

#include <bit>
#include <cmath>
#include <concepts>
#include <limits>

namespace penning::bridge::etf {
namespace {

namespace utf8 = actors::utf8;

/// What OTP can represent; see `ERTS_MAX_REF_NUMBERS`, `MAX_REFERENCE` and `dec_fun`.
constexpr std::uint16_t max_reference_words = 5;
constexpr std::uint32_t max_first_word = 1U << 18;
constexpr std::uint32_t max_tiny_creation = 3;
constexpr std::uint32_t max_free_variables = 255;

template <std::unsigned_integral Word>
Word big_endian(const char* from) noexcept {
  if constexpr (sizeof(Word) == 1) {
    return static_cast<Word>(*from);
  } else {
    Word value;
    std::memcpy(&value, from, sizeof value);
    if constexpr (std::endian::native == std::endian::big)
      return value;
    else if constexpr (sizeof(Word) == 2)
      return __builtin_bswap16(value);
    else if constexpr (sizeof(Word) == 4)
      return __builtin_bswap32(value);
    else
      return __builtin_bswap64(value);
  }
}

bool fits_atom(std::string_view text, bool latin1) noexcept {
  if (latin1)
    return text.size() <= actors::atom::max_characters;
  return actors::atom::valid(text);
}

} // namespace

actors::atom atom_view::to_atom() const {
  return actors::atom::unchecked(latin1 ? std::string_view{utf8::from_latin1(text)} : text);
}

reader::reader(std::string_view body, errc error) noexcept
    : begin_{body.data()},
      at_{body.data()},
      end_{body.data() + body.size()},
      owed_{error == errc::none ? std::size_t{1} : 0},
      error_{error} {}

bool reader::next(token& out) noexcept {
  if (owed_ == 0)
    return false;
  const auto* start = at_;
  --owed_;
  if (term(out))
    return true;
  at_ = start;
  owed_ = 0;
  return false;
}

bool reader::fail(errc error) noexcept {
  error_ = error;
  return false;
}

/// Every term takes a byte at least, so a length that promises more than the bytes hold is caught
/// before anyone allocates for it.
bool reader::owe(std::uint64_t terms) noexcept {
  const auto room = left();
  if (owed_ > room || terms > room - owed_)
    return fail(errc::truncated);
  owed_ += static_cast<std::size_t>(terms);
  return true;
}

template <class Word>
bool reader::word(Word& out) noexcept {
  if (left() < sizeof(Word))
    return fail(errc::truncated);
  out = big_endian<Word>(at_);
  at_ += sizeof(Word);
  return true;
}

bool reader::bytes(std::size_t size, std::string_view& out) noexcept {
  if (left() < size)
    return fail(errc::truncated);
  out = {at_, size};
  at_ += size;
  return true;
}

template <class Length>
bool reader::sized(std::string_view& out) noexcept {
  Length size = 0;
  return word(size) && bytes(size, out);
}

bool reader::term(token& out) noexcept {
  if (at_ == end_)
    return fail(errc::truncated);
  const auto set = [&out](token_type type) {
    out.type = type;
    return true;
  };
  using enum tag;
  switch (static_cast<tag>(*at_++)) {
  case small_integer_ext: return set(token_type::integer) && small_integer(out);
  case integer_ext: return set(token_type::integer) && integer(out);
  case small_big_ext: return big<std::uint8_t>(out);
  case large_big_ext: return big<std::uint32_t>(out);
  case new_float_ext: return set(token_type::floating) && new_float(out);
  case float_ext: return set(token_type::floating) && old_float(out);
  case small_atom_utf8_ext: return set(token_type::atom) && atom<std::uint8_t>(out.atom, false);
  case atom_utf8_ext: return set(token_type::atom) && atom<std::uint16_t>(out.atom, false);
  case small_atom_ext: return set(token_type::atom) && atom<std::uint8_t>(out.atom, true);
  case atom_ext: return set(token_type::atom) && atom<std::uint16_t>(out.atom, true);
  case binary_ext: return set(token_type::binary) && sized<std::uint32_t>(out.bytes);
  case bit_binary_ext: return bitstring(out);
  case string_ext: return set(token_type::string) && sized<std::uint16_t>(out.bytes);
  case nil_ext: return set(token_type::nil);
  case list_ext: return set(token_type::list) && list(out);
  case small_tuple_ext: return set(token_type::tuple) && tuple<std::uint8_t>(out);
  case large_tuple_ext: return set(token_type::tuple) && tuple<std::uint32_t>(out);
  case map_ext: return set(token_type::map) && map(out);
  case new_pid_ext: return set(token_type::pid) && pid<std::uint32_t>(out, out.atom);
  case pid_ext: return set(token_type::pid) && pid<std::uint8_t>(out, out.atom);
  case v4_port_ext: return set(token_type::port) && port<std::uint64_t, std::uint32_t>(out);
  case new_port_ext: return set(token_type::port) && port<std::uint32_t, std::uint32_t>(out);
  case port_ext: return set(token_type::port) && port<std::uint32_t, std::uint8_t>(out);
  case newer_reference_ext: return set(token_type::reference) && reference<std::uint32_t>(out);
  case new_reference_ext: return set(token_type::reference) && reference<std::uint8_t>(out);
  case reference_ext: return set(token_type::reference) && old_reference(out);
  case export_ext: return set(token_type::external_fun) && external_fun(out);
  case new_fun_ext: return set(token_type::fun) && fun(out);
  case compressed: break; // only in front of everything, see `open`
  }
  return fail(errc::unknown_tag);
}

bool reader::small_integer(token& out) noexcept {
  std::uint8_t value = 0;
  const auto ok = word(value);
  out.integer = value;
  return ok;
}

bool reader::integer(token& out) noexcept {
  std::uint32_t value = 0;
  const auto ok = word(value);
  out.integer = static_cast<std::int32_t>(value);
  return ok;
}

/// Leading zero bytes are legal, any sign byte but 0 means minus, and there is no minus zero.
template <class Length>
bool reader::big(token& out) noexcept {
  Length size = 0;
  std::uint8_t sign = 0;
  std::string_view magnitude;
  if (!word(size) || !word(sign) || !bytes(size, magnitude))
    return false;
  magnitude.remove_suffix(magnitude.size() - (magnitude.find_last_not_of('\0') + 1));
  out.negative = sign != 0;
  out.bytes = magnitude;
  out.type = token_type::big_integer;
  if (magnitude.size() > 8)
    return true;
  std::uint64_t value = 0;
  for (auto i = magnitude.size(); i-- > 0;)
    value = value << 8 | static_cast<unsigned char>(magnitude[i]);
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (value > most + (out.negative ? 1 : 0))
    return true;
  out.integer = static_cast<std::int64_t>(out.negative ? 0 - value : value);
  out.type = token_type::integer;
  return true;
}

bool reader::new_float(token& out) noexcept {
  std::uint64_t bits = 0;
  if (!word(bits))
    return false;
  out.floating = std::bit_cast<double>(bits);
  return std::isfinite(out.floating) || fail(errc::bad_float);
}

bool reader::old_float(token& out) noexcept {
  std::string_view text;
  if (!bytes(old_float_size, text))
    return false;
  return parse_old_float(text, out.floating) || fail(errc::bad_float);
}

template <class Length>
bool reader::atom(atom_view& out, bool latin1) noexcept {
  out.latin1 = latin1;
  return sized<Length>(out.text) && (fits_atom(out.text, latin1) || fail(errc::bad_atom));
}

bool reader::any_atom(atom_view& out, errc otherwise) noexcept {
  if (at_ == end_)
    return fail(errc::truncated);
  switch (static_cast<tag>(*at_++)) {
  case tag::small_atom_utf8_ext: return atom<std::uint8_t>(out, false);
  case tag::atom_utf8_ext: return atom<std::uint16_t>(out, false);
  case tag::small_atom_ext: return atom<std::uint8_t>(out, true);
  case tag::atom_ext: return atom<std::uint16_t>(out, true);
  default: return fail(otherwise);
  }
}

bool reader::bitstring(token& out) noexcept {
  std::uint32_t size = 0;
  if (!word(size) || !word(out.bits))
    return false;
  if (out.bits > 8 || (out.bits == 0) != (size == 0))
    return fail(errc::bad_bitstring);
  out.type = out.bits % 8 == 0 ? token_type::binary : token_type::bitstring;
  return bytes(size, out.bytes);
}

template <class Length>
bool reader::tuple(token& out) noexcept {
  Length size = 0;
  const auto ok = word(size);
  out.count = size;
  return ok && owe(size);
}

bool reader::list(token& out) noexcept {
  return word(out.count) && owe(std::uint64_t{out.count} + 1);
}

bool reader::map(token& out) noexcept {
  return word(out.count) && owe(std::uint64_t{out.count} * 2);
}

/// Old identities have a creation of one byte, of which OTP allows two bits.
template <class Creation>
bool reader::creation(std::uint32_t& out) noexcept {
  Creation value = 0;
  if (!word(value))
    return false;
  out = value;
  return sizeof value > 1 || value <= max_tiny_creation || fail(errc::bad_identity);
}

template <class Creation>
bool reader::pid(token& out, atom_view& node) noexcept {
  std::uint32_t id = 0;
  if (!any_atom(node, errc::bad_identity) || !word(id) || !word(out.serial))
    return false;
  out.id = id;
  return creation<Creation>(out.creation);
}

template <class Id, class Creation>
bool reader::port(token& out) noexcept {
  Id id = 0;
  if (!any_atom(out.atom, errc::bad_identity) || !word(id))
    return false;
  out.id = id;
  return creation<Creation>(out.creation);
}

bool reader::old_reference(token& out) noexcept {
  if (!any_atom(out.atom, errc::bad_identity) || !bytes(4, out.bytes))
    return false;
  if (big_endian<std::uint32_t>(out.bytes.data()) >= max_first_word)
    return fail(errc::bad_identity);
  return creation<std::uint8_t>(out.creation);
}

template <class Creation>
bool reader::reference(token& out) noexcept {
  std::uint16_t words = 0;
  if (!word(words))
    return false;
  if (words > max_reference_words)
    return fail(errc::bad_identity);
  if (!any_atom(out.atom, errc::bad_identity) || !creation<Creation>(out.creation)
      || !bytes(std::size_t{words} * 4, out.bytes))
    return false;
  if (sizeof(Creation) == 1 && words != 0
      && big_endian<std::uint32_t>(out.bytes.data()) >= max_first_word)
    return fail(errc::bad_identity);
  return true;
}

/// An integer in any of its encodings, as funs contain them.
bool reader::any_integer(std::int64_t& out) noexcept {
  token t;
  if (at_ == end_)
    return fail(errc::truncated);
  const auto lead = static_cast<tag>(*at_);
  if (lead != tag::small_integer_ext && lead != tag::integer_ext && lead != tag::small_big_ext)
    return fail(errc::bad_fun);
  if (!term(t))
    return false;
  out = t.integer;
  return t.type == token_type::integer || fail(errc::bad_fun);
}

bool reader::external_fun(token& out) noexcept {
  std::int64_t arity = 0;
  if (!any_atom(out.atom, errc::bad_fun) || !any_atom(out.function, errc::bad_fun)
      || !any_integer(arity))
    return false;
  out.arity = static_cast<std::uint32_t>(arity);
  return std::in_range<std::uint32_t>(arity) || fail(errc::bad_fun);
}

/// The size of the whole fun, which comes first, is not looked at by OTP either.
bool reader::fun(token& out) noexcept {
  std::uint32_t size = 0;
  std::uint8_t arity = 0;
  if (!word(size) || !word(arity) || !bytes(16, out.uniq) || !word(out.index) || !word(out.count))
    return false;
  out.arity = arity;
  if (out.count > max_free_variables)
    return fail(errc::bad_fun);
  return fun_identity(out) && owe(out.count);
}

bool reader::fun_identity(token& out) noexcept {
  std::int64_t old_index = 0;
  std::int64_t old_uniq = 0;
  if (!any_atom(out.atom, errc::bad_fun) || !any_integer(old_index) || !any_integer(old_uniq))
    return false;
  out.old_index = static_cast<std::int32_t>(old_index); // OTP keeps 32 bits as well
  out.old_uniq = static_cast<std::int32_t>(old_uniq);
  if (at_ == end_)
    return fail(errc::truncated);
  switch (static_cast<tag>(*at_++)) {
  case tag::new_pid_ext: return pid<std::uint32_t>(out, out.creator);
  case tag::pid_ext: return pid<std::uint8_t>(out, out.creator);
  default: return fail(errc::bad_fun);
  }
}

} // namespace penning::bridge::etf
