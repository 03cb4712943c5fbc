#pragma once

#include <penning/actors/term_atom.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penning::actors {

/// Bytes; Elixir's strings. Prints as text when it is printable.
class binary {
 public:
  binary() = default;
  /// Copies.
  explicit binary(std::string_view bytes) : bytes_{bytes} {}
  explicit binary(const char* text) : binary{std::string_view{text}} {}
  /// Takes the buffer over.
  explicit binary(std::string&& bytes) : bytes_{std::move(bytes)} {}
  explicit binary(const std::string& bytes) : binary{std::string_view{bytes}} {}
  explicit binary(std::vector<char>&& bytes) : bytes_{std::move(bytes)} {}
  explicit binary(const std::vector<char>& bytes)
      : binary{std::string_view{bytes.data(), bytes.size()}} {}
  explicit binary(shared_bytes bytes) noexcept : bytes_{std::move(bytes)} {}

  std::string_view view() const noexcept { return bytes_.view(); }
  std::size_t size() const noexcept { return view().size(); }
  bool empty() const noexcept { return size() == 0; }
  const shared_bytes& bytes() const noexcept { return bytes_; }

  friend bool operator==(const binary&, const binary&) noexcept = default;

 private:
  shared_bytes bytes_;
};

/// Bits whose number no byte boundary ends. A whole number of bytes is a `binary`, also in
/// Erlang: building a term from such a bitstring gives the binary.
class bitstring {
 public:
  /// The first `bits` of `bytes`; bits beyond them are cleared.
  /// Errors: `std::invalid_argument` if `bytes` is not exactly as long as `bits` need.
  bitstring(std::string bytes, std::size_t bits);

  std::string_view view() const noexcept { return bytes_.view(); }
  /// How many bits of the last byte count, from its most significant: 1 to 8.
  unsigned last_bits() const noexcept { return last_bits_; }
  std::size_t bits() const noexcept {
    return view().empty() ? 0 : (view().size() - 1) * 8 + last_bits_;
  }
  const shared_bytes& bytes() const noexcept { return bytes_; }

  friend bool operator==(const bitstring&, const bitstring&) noexcept = default;

 private:
  shared_bytes bytes_;
  unsigned last_bits_ = 8;
};

/// A process. An actor of this runtime has the node `penning`.
struct pid {
  atom node;
  std::uint32_t id = 0;
  std::uint32_t serial = 0;
  std::uint32_t creation = 0; ///< Which incarnation of the node.

  friend bool operator==(const pid&, const pid&) noexcept = default;
};

/// An Erlang port.
struct port {
  atom node;
  std::uint64_t id = 0;
  std::uint32_t creation = 0;

  friend bool operator==(const port&, const port&) noexcept = default;
};

/// A reference, as `make_ref` gives; up to five words, the least significant first.
struct reference {
  atom node;
  std::uint32_t creation = 0;
  std::vector<std::uint32_t> ids;

  friend bool operator==(const reference&, const reference&) noexcept = default;
};

/// `fun Module:Function/Arity`.
struct external_fun {
  atom module;
  atom function;
  std::uint32_t arity = 0; ///< Erlang calls none above 255, but can name one.

  friend bool operator==(const external_fun&, const external_fun&) noexcept = default;
};

} // namespace penning::actors
