#include <penning/bridge/etf.hpp>

namespace penning::bridge::etf {

std::string_view to_string(errc code) noexcept {
  switch (code) {
  case errc::none: return "no error";
  case errc::truncated: return "truncated: the bytes end inside a term";
  case errc::bad_version: return "bad_version: an encoded term starts with 131";
  case errc::unknown_tag: return "unknown_tag: no term starts with this byte";
  case errc::bad_atom: return "bad_atom: an atom is UTF-8 of at most 255 characters";
  case errc::unknown_atom: return "unknown_atom: not one of the atoms allowed";
  case errc::unknown_export: return "unknown_export: not one of the funs allowed";
  case errc::bad_float: return "bad_float: a float is a finite number";
  case errc::bad_bitstring: return "bad_bitstring: the last byte has 1 to 8 bits";
  case errc::bad_identity: return "bad_identity: a field of a pid, port or reference is off";
  case errc::bad_fun: return "bad_fun: a part of a fun has the wrong type";
  case errc::duplicate_key: return "duplicate_key: a map has two equal keys";
  case errc::bad_compression: return "bad_compression: does not inflate to the length told";
  case errc::trailing_bytes: return "trailing_bytes: more follows the term";
  case errc::too_large: return "too_large: more bytes than allowed";
  case errc::too_deep: return "too_deep: nested deeper than allowed";
  case errc::too_much_memory: return "too_much_memory: the term is larger than allowed";
  case errc::too_much_inflated: return "too_much_inflated: inflates beyond what is allowed";
  }
  return "unknown error";
}

std::string message(const decode_result& result) {
  if (result)
    return {};
  std::string text{to_string(result.error)};
  text += ", at byte ";
  text += std::to_string(result.offset);
  return text;
}

} // namespace penning::bridge::etf
