// The decoder, the reader and the encoder of the external term format. An input is one encoded
// term.

#include "fuzz.hpp"

#include <penning/bridge/etf_reader.hpp>

#include <memory>
#include <string>
#include <vector>

namespace {

namespace etf = penning::bridge::etf;
namespace actors = penning::actors;
using actors::term;
using penning::fuzz::require;

constexpr etf::limits narrow{
  .max_size = 2048, .max_depth = 4, .max_memory = 4096, .max_inflated = 1024};

/// How deep containers nest, and the bytes of what stands in them and of their binaries.
struct extent {
  std::size_t depth = 0;
  std::size_t bytes = 0;
};

std::span<const term> parts_of(const term& value) {
  if (const auto* x = value.get_if<actors::fun>())
    return x->free_variables.elements();
  const actors::detail::term_node* node = nullptr;
  if (const auto* tuple = value.get_if<actors::tuple>())
    node = tuple->node();
  if (const auto* list = value.get_if<actors::list>())
    node = list->node();
  if (const auto* map = value.get_if<actors::map>())
    node = map->node();
  return node ? node->items() : std::span<const term>{};
}

/// Only for a term that was decoded within `narrow`: it recurses.
extent extent_of(const term& value) {
  extent result;
  for (const auto& part : parts_of(value)) {
    const auto inner = extent_of(part);
    result.depth = std::max(result.depth, inner.depth);
    result.bytes += inner.bytes + sizeof(term);
  }
  if (const auto* bytes = value.get_if<actors::binary>())
    result.bytes += bytes->size();
  result.depth += parts_of(value).empty() ? 0 : 1;
  return result;
}

/// What has been decoded is written so that it is read as the same, in each way of writing it.
void check_round_trip(const term& value) {
  for (const auto& options : {etf::encode_options{}, etf::encode_options{.minor_version = 1},
                              etf::encode_options{.minor_version = 0, .deterministic = true},
                              etf::encode_options{.compression = 1}}) {
    const auto bytes = etf::encode(value, options);
    const auto again = etf::decode(bytes);
    require(again.error == etf::errc::none, "what is encoded can be decoded");
    require(again.used == bytes.size(), "the decoder uses all that is encoded");
    require(again.value == value, "decoding gives what was encoded");
    require(hash_value(again.value) == hash_value(value), "what is equal has equal hashes");
    require(etf::encode(again.value, options) == bytes, "encoding the same gives the same bytes");
  }
}

/// The reader goes through every term that the decoder takes, and touches only its bytes.
void check_reader(std::string_view bytes, const etf::decode_result& decoded) {
  std::string inflated;
  const auto frame = etf::open(bytes, {}, inflated);
  etf::reader r{frame.body, frame.error};
  std::size_t sum = 0;
  for (etf::token t{}; r.next(t);) {
    for (const auto view : {t.bytes, t.atom.text, t.function.text, t.creator.text, t.uniq})
      for (const auto byte : view)
        sum += static_cast<unsigned char>(byte);
    t = {};
  }
  static_cast<void>(*const_cast<const volatile std::size_t*>(&sum));
  require(r.owed() == 0, "the reader ends with nothing owed");
  if (decoded)
    require(r.error() == etf::errc::none, "the reader takes what the decoder takes");
  if (decoded && !frame.compressed)
    require(r.position() + 1 == decoded.used, "reader and decoder end at the same byte");
  if (r.error() != etf::errc::none)
    require(!decoded, "the decoder takes only what the reader takes");
}

void check_limits(std::span<const char> bytes, const etf::decode_result& decoded) {
  const auto limited = etf::decode(bytes, {.limits = narrow, .allow_trailing = true});
  if (!limited)
    return;
  require(bytes.size() <= narrow.max_size, "max_size holds");
  const auto used = extent_of(limited.value);
  require(used.depth <= narrow.max_depth, "max_depth holds");
  require(used.bytes <= narrow.max_memory, "max_memory holds");
  require(!decoded || decoded.value == limited.value, "limits change no value");
}

/// A policy that knows no atom leaves none in.
void check_policy(std::span<const char> bytes, const etf::decode_result& decoded) {
  bool asked = false;
  etf::decode_options options;
  options.policy.atom = [&asked](std::string_view) {
    asked = true;
    return false;
  };
  const auto safe = etf::decode(bytes, options);
  require(!safe || (!asked && decoded.value == safe.value), "what a policy refuses stays out");
}

void check_sharing(std::span<const char> bytes, const etf::decode_result& decoded) {
  auto frame = std::make_shared<const std::vector<char>>(bytes.begin(), bytes.end());
  const auto shared = etf::decode(std::move(frame), {.share_from = 0}); // nobody else holds it
  require(shared.error == decoded.error && shared.offset == decoded.offset,
          "sharing changes no error");
  require(shared.value == decoded.value, "sharing changes no value");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = penning::fuzz::bytes_of(data, size);
  const auto decoded = etf::decode(bytes);
  require(decoded || !message(decoded).empty(), "an error has words");
  check_reader({bytes.data(), bytes.size()}, decoded);
  check_limits(bytes, decoded);
  check_policy(bytes, decoded);
  check_sharing(bytes, decoded);
  if (decoded) {
    check_round_trip(decoded.value);
    static_cast<void>(to_string(decoded.value));
  }
  return 0;
}
