#pragma once

#include <penning/actors/term.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Erlang's external term format: what `term_to_binary` writes and `binary_to_term` reads.
/// Source: "External Term Format" in ERTS's user's guide; where that is silent, external.c of
/// OTP 25.
namespace penning::bridge::etf {

using actors::term;

/// Why bytes are not a term. Values may be logged and compared: append, never renumber.
enum class errc : std::uint8_t {
  none = 0,
  truncated = 1,          ///< The bytes end inside a term, or a length promises more than there is.
  bad_version = 2,        ///< The first byte is not 131.
  unknown_tag = 3,        ///< No term starts with this byte, at this place.
  bad_atom = 4,           ///< Not UTF-8, or more than 255 characters.
  unknown_atom = 5,       ///< `policy::atom` refused it.
  unknown_export = 6,     ///< `policy::exported` refused the fun.
  bad_float = 7,          ///< Not a number, infinite, or text that is no number.
  bad_bitstring = 8,      ///< A number of bits that its bytes cannot have.
  bad_identity = 9,       ///< A pid, port or reference with a field out of its range.
  bad_fun = 10,           ///< A fun with a part of the wrong type.
  duplicate_key = 11,     ///< A map has two equal keys.
  bad_compression = 12,   ///< The compressed part does not inflate to the length that it tells.
  trailing_bytes = 13,    ///< More bytes follow the term.
  too_large = 14,         ///< More bytes than `limits::max_size`.
  too_deep = 15,          ///< Nested deeper than `limits::max_depth`.
  too_much_memory = 16,   ///< The term would take more than `limits::max_memory`.
  too_much_inflated = 17, ///< It would inflate beyond `limits::max_inflated`.
};

/// The error in words, for a log or a peer.
std::string_view to_string(errc code) noexcept;

/// What a peer may make us do. Memory used while decoding stays within a small multiple of
/// `max_memory + max_inflated`, whatever the bytes say.
struct limits {
  std::size_t max_size = std::size_t{64} << 20;     ///< Bytes of an encoded term.
  std::size_t max_depth = 1024;                     ///< Containers within containers.
  std::size_t max_memory = std::size_t{256} << 20;  ///< Bytes of the term that is built.
  std::size_t max_inflated = std::size_t{64} << 20; ///< Bytes that a compressed term inflates to.
};

/// Which names a peer may use, as the option `safe` of `binary_to_term`. An empty `atom` allows
/// all. With `atom` set, an external fun needs `exported` to allow it as well.
struct policy {
  std::function<bool(std::string_view)> atom; ///< UTF-8
  std::function<bool(const actors::external_fun&)> exported;
};

struct decode_options {
  etf::limits limits{};
  etf::policy policy{};
  bool allow_trailing = false; ///< Decode the first term and leave what follows it.
  /// Binaries of at least this many bytes are not copied out of a shared buffer but keep it alive.
  std::size_t share_from = 4096;
};

/// A term, or why there is none.
struct decode_result {
  term value; ///< `[]` after an error.
  errc error = errc::none;
  std::size_t offset = 0; ///< Where the error was found; in a compressed term, its tag.
  std::size_t used = 0;   ///< How many bytes the term took; 0 after an error.

  explicit operator bool() const noexcept { return error == errc::none; }
};

/// "truncated: … at byte 17", for a log or a peer; empty without an error.
std::string message(const decode_result& result);

/// Decodes one term, with the leading version byte, in time linear in its size but for maps whose
/// keys come unsorted. Never recurses, and never allocates for elements that the bytes cannot hold.
decode_result decode(std::span<const char> bytes, const decode_options& options = {});
/// The same from a shared buffer, of which large binaries become parts instead of copies.
decode_result decode(std::shared_ptr<const std::vector<char>> bytes,
                     const decode_options& options = {});

struct encode_options {
  /// As the option of `term_to_binary`: 2, the default of OTP 26 and later, writes atoms as UTF-8,
  /// 1 writes them as Latin-1 where possible, 0 writes floats as text as well.
  int minor_version = 2;
  bool deterministic = false; ///< Map keys in term order, not in the order in which they came.
  /// 1 to 9, as `{compressed, Level}` (`compressed` is 6): deflates what that does not
  /// make longer. Then the version byte is always written. 0: never.
  int compression = 0;
  bool version_byte = true; ///< Lead with 131. Without it: a term inside another's bytes.
  std::vector<actors::pid>* pids = nullptr; ///< Takes every pid that is written, in order.
};

/// Appends the bytes that `term_to_binary` gives with the same options; a map's entries come in the
/// order in which they were put into it. Never fails and never recurses.
void encode(const term& value, std::vector<char>& out, const encode_options& options = {});
std::vector<char> encode(const term& value, const encode_options& options = {});

} // namespace penning::bridge::etf
