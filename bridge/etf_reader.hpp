#pragma once

#include <penning/bridge/etf.hpp>
#include <penning/bridge/etf_tags.hpp>

#include <array>

namespace penning::bridge::etf {

/// An atom as it stands in the bytes.
struct atom_view {
  std::string_view text;
  bool latin1 = false; ///< Otherwise UTF-8.

  actors::atom to_atom() const;
  /// Compares with ASCII, which both encodings share.
  bool is(std::string_view ascii) const noexcept { return text == ascii; }
};

enum class token_type : std::uint8_t {
  integer,     ///< `integer`
  big_integer, ///< `bytes`: the magnitude, least significant first; `negative`
  floating,    ///< `floating`
  atom,        ///< `atom`
  binary,      ///< `bytes`
  bitstring,   ///< `bytes`, of the last one `bits`
  string,      ///< `bytes`: a list of that many small integers
  nil,
  list,         ///< `count` elements follow, then the tail, which may be another list
  tuple,        ///< `count` elements follow
  map,          ///< `count` times a key and its value follow
  pid,          ///< `atom`, `id`, `serial`, `creation`
  port,         ///< `atom`, `id`, `creation`
  reference,    ///< `atom`, `creation`, `bytes`: big-endian words of 4 bytes
  external_fun, ///< `atom`, `function`, `arity`
  fun,          ///< `atom`, `arity`, `uniq`, and so on; `count` free variables follow
};

/// The next part of a term: a scalar, or the start of a container whose elements come next. Only
/// the fields that `type` names are set. Views reach into the bytes being read.
struct token {
  token_type type;
  bool negative;
  std::uint8_t bits;
  std::uint32_t arity;
  std::uint32_t count;
  std::uint32_t creation;
  std::uint32_t serial;
  union {
    std::int64_t integer;
    double floating;
    std::uint64_t id;
  };
  std::string_view bytes;
  atom_view atom;
  atom_view function;
  atom_view creator; ///< The node of a fun's creator, whose pid has `id`, `serial`, `creation`.
  std::string_view uniq;
  std::uint32_t index;
  std::int32_t old_index;
  std::int32_t old_uniq;
};

/// Goes through an encoded term from front to back without copying or allocating anything.
///
/// Checks all that `decode` checks, but for duplicate keys of maps, which take memory to find, and
/// depth, which costs this reader nothing: it keeps a number of terms that are still to come.
///
///     std::string inflated;
///     for (reader r{open(frame, limits, inflated)}; r.next(t);)
///       ...
class reader {
 public:
  /// Reads one term, which has no version byte before it.
  explicit reader(std::string_view body, errc error = errc::none) noexcept;

  /// The next token. Returns false at the end of the term and upon an error.
  bool next(token& out) noexcept;

  errc error() const noexcept { return error_; }
  /// Bytes read so far; after an error, where it is.
  std::size_t position() const noexcept { return static_cast<std::size_t>(at_ - begin_); }
  /// How many terms are still to come; 0 at the end.
  std::size_t owed() const noexcept { return owed_; }

 private:
  std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  bool fail(errc error) noexcept;
  bool owe(std::uint64_t terms) noexcept;
  template <class Word>
  bool word(Word& out) noexcept;
  bool bytes(std::size_t size, std::string_view& out) noexcept;
  template <class Length>
  bool sized(std::string_view& out) noexcept;

  bool term(token& out) noexcept;
  bool small_integer(token& out) noexcept;
  bool integer(token& out) noexcept;
  template <class Length>
  bool big(token& out) noexcept;
  bool new_float(token& out) noexcept;
  bool old_float(token& out) noexcept;
  template <class Length>
  bool atom(atom_view& out, bool latin1) noexcept;
  bool any_atom(atom_view& out, errc otherwise) noexcept;
  bool bitstring(token& out) noexcept;
  template <class Length>
  bool tuple(token& out) noexcept;
  bool list(token& out) noexcept;
  bool map(token& out) noexcept;
  template <class Creation>
  bool creation(std::uint32_t& out) noexcept;
  template <class Creation>
  bool pid(token& out, atom_view& node) noexcept;
  template <class Id, class Creation>
  bool port(token& out) noexcept;
  bool old_reference(token& out) noexcept;
  template <class Creation>
  bool reference(token& out) noexcept;
  bool any_integer(std::int64_t& out) noexcept;
  bool external_fun(token& out) noexcept;
  bool fun(token& out) noexcept;
  bool fun_identity(token& out) noexcept;

  const char* begin_;
  const char* at_;
  const char* end_;
  std::size_t owed_;
  errc error_;
};

/// What `open` found in front of a term.
struct opened {
  std::string_view body; ///< The term without its version byte, inflated.
  errc error = errc::none;
  bool compressed = false;
  std::size_t used = 0; ///< How many bytes of a compressed term were inflated.
};

/// Checks size and version, and inflates a compressed term into `inflated`, at most as much as
/// `bounds` allows.
opened open(std::string_view bytes, const limits& bounds, std::string& inflated);

} // namespace penning::bridge::etf
