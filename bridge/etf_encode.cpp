#include <penning/bridge/etf.hpp>

#include <penning/actors/term_utf8.hpp>
#include <penning/bridge/etf_compress.hpp>
#include <penning/bridge/etf_float.hpp>
#include <penning/bridge/etf_tags.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstring>
#include <limits>
#include <utility>

namespace penning::bridge::etf {
namespace {

namespace actors = penning::actors;
using actors::detail::term_node;

/// Appends to a vector whose size runs ahead of what is written, so that a byte costs a store.
class sink {
 public:
  explicit sink(std::vector<char>& out) : out_{out}, used_{out.size()} {}
  sink(const sink&) = delete;
  sink& operator=(const sink&) = delete;
  ~sink() { out_.resize(used_); }

  std::size_t position() const { return used_; }

  char* room(std::size_t size) {
    if (out_.size() - used_ < size)
      out_.resize(std::max(out_.size() * 2, used_ + size + 128));
    auto* at = out_.data() + used_;
    used_ += size;
    return at;
  }

  void put(tag t) { *room(1) = static_cast<char>(t); }

  template <std::unsigned_integral Word>
  void put(Word value) {
    store(room(sizeof value), value);
  }
  template <std::unsigned_integral Word>
  void put(tag t, Word value) {
    auto* at = room(1 + sizeof value);
    *at = static_cast<char>(t);
    store(at + 1, value);
  }
  void put(std::string_view bytes) {
    if (!bytes.empty())
      std::memcpy(room(bytes.size()), bytes.data(), bytes.size());
  }
  void patch(std::size_t position, std::uint32_t value) { store(out_.data() + position, value); }

 private:
  template <std::unsigned_integral Word>
  static void store(char* at, Word value) {
    if constexpr (std::endian::native == std::endian::little) {
      if constexpr (sizeof(Word) == 2)
        value = __builtin_bswap16(value);
      else if constexpr (sizeof(Word) == 4)
        value = __builtin_bswap32(value);
      else if constexpr (sizeof(Word) == 8)
        value = __builtin_bswap64(value);
    }
    std::memcpy(at, &value, sizeof value);
  }

  std::vector<char>& out_;
  std::size_t used_;
};

/// How many bytes STRING_EXT would hold; 0 if the list cannot be written as one.
/// Source: `is_external_string` in OTP's external.c.
std::size_t string_length(const actors::list& l) {
  const auto is_byte = [](const term& t) {
    const auto* value = t.get_if<std::int64_t>();
    return value && static_cast<std::uint64_t>(*value) <= 0xff;
  };
  if (!l.is_proper() || l.size() > 0xffff || !std::all_of(l.begin(), l.end(), is_byte))
    return 0;
  return l.size();
}

/// A container whose items are still being written.
struct open_container {
  const term* items;
  std::size_t count;
  bool ends_in_nil = false;
  const actors::map* sorted = nullptr; ///< Take its entries in key order.
  std::size_t patch_at = 0;            ///< Where a fun's size belongs; 0 for anything else.
  std::size_t next = 0;
};

class encoder {
 public:
  encoder(std::vector<char>& out, const encode_options& options) : out_{out}, options_{options} {
    if (options.version_byte)
      out_.put(version);
  }

  void run(const term& value) {
    open_.reserve(usual_depth);
    write(value);
    while (!open_.empty())
      advance();
  }

 private:
  void advance() {
    auto& top = open_.back();
    if (top.next < top.count)
      return write(item(top, top.next++));
    if (top.ends_in_nil)
      out_.put(tag::nil_ext);
    if (top.patch_at != 0)
      out_.patch(top.patch_at, static_cast<std::uint32_t>(out_.position() - top.patch_at));
    open_.pop_back();
  }

  static const term& item(const open_container& c, std::size_t index) {
    if (!c.sorted)
      return c.items[index];
    const auto [key, value] = c.sorted->sorted(index / 2);
    return index % 2 == 0 ? key : value;
  }

  void write(const term& t) {
    using enum actors::term_type;
    switch (t.type()) {
    case integer: return write_integer(t);
    case floating: return write_float(*t.get_if<double>());
    case atom: return write_atom(*t.get_if<actors::atom>());
    case bitstring: return write_bits(t);
    case nil: return out_.put(tag::nil_ext);
    case list: return write_list(*t.get_if<actors::list>());
    case tuple: return write_tuple(*t.get_if<actors::tuple>());
    case map: return write_map(*t.get_if<actors::map>());
    case pid: return write_pid(*t.get_if<actors::pid>());
    case port: return write_port(*t.get_if<actors::port>());
    case reference: return write_reference(*t.get_if<actors::reference>());
    case fun: return write_fun(t);
    }
  }

  void write_integer(const term& t) {
    const auto* value = t.get_if<std::int64_t>();
    if (!value)
      return write_big(*t.get_if<actors::big_integer>());
    if (*value >= 0 && *value <= 0xff)
      return out_.put(tag::small_integer_ext, static_cast<std::uint8_t>(*value));
    if (std::in_range<std::int32_t>(*value))
      return out_.put(tag::integer_ext, static_cast<std::uint32_t>(*value));
    write_small_big(*value);
  }

  void write_small_big(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    auto magnitude = value < 0 ? 0 - bits : bits;
    const auto size = static_cast<std::size_t>(std::bit_width(magnitude) + 7) / 8;
    auto* at = out_.room(3 + size);
    *at++ = static_cast<char>(tag::small_big_ext);
    *at++ = static_cast<char>(size);
    *at++ = value < 0 ? 1 : 0;
    for (; magnitude != 0; magnitude >>= 8)
      *at++ = static_cast<char>(magnitude);
  }

  void write_big(const actors::big_integer& value) {
    const auto bytes = value.magnitude();
    if (bytes.size() <= 0xff)
      out_.put(tag::small_big_ext, static_cast<std::uint8_t>(bytes.size()));
    else
      out_.put(tag::large_big_ext, static_cast<std::uint32_t>(bytes.size()));
    out_.put(static_cast<std::uint8_t>(value.negative()));
    out_.put(std::string_view{reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

  void write_float(double value) {
    if (options_.minor_version > 0)
      return out_.put(tag::new_float_ext, std::bit_cast<std::uint64_t>(value));
    out_.put(tag::float_ext);
    print_old_float(value, out_.room(old_float_size));
  }

  void write_atom(const actors::atom& a) {
    if (options_.minor_version < 2)
      if (const auto latin1 = actors::utf8::to_latin1(a.text())) {
        out_.put(tag::atom_ext, static_cast<std::uint16_t>(latin1->size()));
        return out_.put(*latin1);
      }
    const auto text = a.text();
    if (text.size() <= 0xff)
      out_.put(tag::small_atom_utf8_ext, static_cast<std::uint8_t>(text.size()));
    else
      out_.put(tag::atom_utf8_ext, static_cast<std::uint16_t>(text.size()));
    out_.put(text);
  }

  void write_bits(const term& t) {
    if (const auto* bytes = t.get_if<actors::binary>()) {
      out_.put(tag::binary_ext, static_cast<std::uint32_t>(bytes->size()));
      return out_.put(bytes->view());
    }
    const auto& bits = *t.get_if<actors::bitstring>();
    out_.put(tag::bit_binary_ext, static_cast<std::uint32_t>(bits.view().size()));
    out_.put(static_cast<std::uint8_t>(bits.last_bits()));
    out_.put(bits.view());
  }

  void write_list(const actors::list& l) {
    if (const auto length = string_length(l); length != 0) {
      out_.put(tag::string_ext, static_cast<std::uint16_t>(length));
      auto* at = out_.room(length);
      for (const auto& byte : l)
        *at++ = static_cast<char>(*byte.get_if<std::int64_t>());
      return;
    }
    out_.put(tag::list_ext, static_cast<std::uint32_t>(l.size()));
    const auto items = l.node()->items(); // with an improper tail, which comes last
    open_.push_back({.items = items.data(), .count = items.size(), .ends_in_nil = l.is_proper()});
  }

  void write_tuple(const actors::tuple& t) {
    if (t.size() <= 0xff)
      out_.put(tag::small_tuple_ext, static_cast<std::uint8_t>(t.size()));
    else
      out_.put(tag::large_tuple_ext, static_cast<std::uint32_t>(t.size()));
    if (!t.empty())
      open_.push_back({.items = t.begin(), .count = t.size()});
  }

  void write_map(const actors::map& m) {
    out_.put(tag::map_ext, static_cast<std::uint32_t>(m.size()));
    if (m.empty())
      return;
    const auto items = m.node()->items();
    open_.push_back({.items = items.data(),
                     .count = items.size(),
                     .sorted = options_.deterministic ? &m : nullptr});
  }

  void write_pid(const actors::pid& p) {
    if (options_.pids)
      options_.pids->push_back(p);
    out_.put(tag::new_pid_ext);
    write_atom(p.node);
    out_.put(p.id);
    out_.put(p.serial);
    out_.put(p.creation);
  }

  void write_port(const actors::port& p) {
    const auto is_small = p.id <= max_v3_port;
    out_.put(is_small ? tag::new_port_ext : tag::v4_port_ext);
    write_atom(p.node);
    if (is_small)
      out_.put(static_cast<std::uint32_t>(p.id));
    else
      out_.put(p.id);
    out_.put(p.creation);
  }

  void write_reference(const actors::reference& r) {
    out_.put(tag::newer_reference_ext, static_cast<std::uint16_t>(r.ids.size()));
    write_atom(r.node);
    out_.put(r.creation);
    for (const auto id : r.ids)
      out_.put(id);
  }

  void write_fun(const term& t) {
    if (const auto* closure = t.get_if<actors::fun>())
      return write_closure(*closure);
    const auto& f = *t.get_if<actors::external_fun>();
    out_.put(tag::export_ext);
    write_atom(f.module);
    write_atom(f.function);
    write_integer(term{f.arity});
  }

  void write_closure(const actors::fun& f) {
    out_.put(tag::new_fun_ext);
    const auto size_at = out_.position();
    out_.put(std::uint32_t{0}); // patched once it is known
    out_.put(f.arity);
    out_.put(std::string_view{reinterpret_cast<const char*>(f.uniq.data()), f.uniq.size()});
    out_.put(f.index);
    out_.put(static_cast<std::uint32_t>(f.free_variables.size()));
    write_atom(f.module);
    write_integer(term{f.old_index});
    write_integer(term{f.old_uniq});
    write_pid(f.creator);
    open_.push_back(
      {.items = f.free_variables.begin(), .count = f.free_variables.size(), .patch_at = size_at});
  }

  static constexpr std::size_t usual_depth = 8; // saves a few small allocations

  sink out_;
  const encode_options& options_;
  std::vector<open_container> open_;
};

} // namespace

void encode(const term& value, std::vector<char>& out, const encode_options& options) {
  const auto start = out.size();
  auto plain = options;
  plain.version_byte |= options.compression > 0;
  encoder{out, plain}.run(value);
  if (options.compression > 0)
    compress_in_place(out, start, options.compression);
}

std::vector<char> encode(const term& value, const encode_options& options) {
  std::vector<char> out;
  encode(value, out, options);
  return out;
}

} // namespace penning::bridge::etf
