#include "etf_description.hpp"

#include <penning/bridge/etf_reader.hpp>

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

namespace penning::bridge {
namespace {

using namespace actors::literals;
using actors::list;
using actors::list_of;
using actors::map_of;
using actors::term;
using actors::tuple_of;
using test::from_hex;
using test::to_hex;

std::string hex_of(const term& t, const etf::encode_options& options = {}) {
  return to_hex(etf::encode(t, options));
}

etf::decode_result decode_hex(std::string_view hex, const etf::decode_options& options = {}) {
  return etf::decode(from_hex(hex), options);
}

std::vector<std::vector<char>> all_vectors() {
  std::vector<std::vector<char>> result;
  for (const auto* file : {"/vectors.jsonl", "/malformed.jsonl"})
    for (const auto& vector : test::read_vectors(std::string{PENNING_ETF_DATA_DIR} + file))
      for (const auto* form : {"hex", "hex_mv1"})
        if (vector.contains(form))
          result.push_back(from_hex(vector[form].get<std::string>()));
  return result;
}

/// The bytes of a compressed term that tells `size` as its length.
std::vector<char> compressed(const std::string& body, std::uint32_t size) {
  auto bytes = from_hex("8350");
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>(size >> shift));
  auto room = compressBound(body.size());
  const auto header = bytes.size();
  bytes.resize(header + room);
  compress(reinterpret_cast<Bytef*>(bytes.data() + header), &room,
           reinterpret_cast<const Bytef*>(body.data()), body.size());
  bytes.resize(header + room);
  return bytes;
}

std::string string_ext(std::size_t length) {
  std::string bytes{'k', static_cast<char>(length >> 8), static_cast<char>(length)};
  bytes.append(length, 'x');
  return bytes;
}

// Reads all tokens; the number of terms, or nothing upon an error.
std::optional<std::size_t> count_terms(std::string_view body) {
  etf::reader r{body};
  std::size_t n = 0;
  for (etf::token t; r.next(t);)
    ++n;
  return r.error() == etf::errc::none ? std::optional{n} : std::nullopt;
}

TEST(Etf, ChoosesTheShortestEncodings) {
  EXPECT_EQ(hex_of(255), "8361ff");
  EXPECT_EQ(hex_of(256), "836200000100");
  EXPECT_EQ(hex_of(-1), "8362ffffffff");
  EXPECT_EQ(hex_of(std::int64_t{1} << 31), "836e040000000080");
  EXPECT_EQ(hex_of(std::numeric_limits<std::int64_t>::min()), "836e08010000000000000080");
  EXPECT_EQ(hex_of(1.5), "83463ff8000000000000");
  EXPECT_EQ(hex_of("ok"_a), "8377026f6b");
  EXPECT_EQ(hex_of("ok"), "836d000000026f6b");
  EXPECT_EQ(hex_of(list_of(1, 2)), "836b00020102");
  EXPECT_EQ(hex_of(list_of(1, 256)), "836c00000002610162000001006a");
  EXPECT_EQ(hex_of(list::with_tail({term{1}}, 2)), "836c0000000161016102");
  EXPECT_EQ(hex_of(list{}), "836a");
}

TEST(Etf, WritesStringsUpTo65535Bytes) {
  const auto ones = [](std::size_t n) { return list{std::vector<term>(n, term{1})}; };
  EXPECT_EQ(hex_of(ones(65535)).substr(0, 10), "836bffff01");
  EXPECT_EQ(hex_of(ones(65536)).substr(0, 14), "836c0001000061");
}

TEST(Etf, FollowsTheMinorVersion) {
  EXPECT_EQ(hex_of("é"_a, {.minor_version = 1}), "83640001e9");
  EXPECT_EQ(hex_of("日"_a, {.minor_version = 1}), "837703e697a5");
  // as term_to_binary(1.5, [{minor_version, 0}])
  EXPECT_EQ(hex_of(1.5, {.minor_version = 0}),
            "8363312e3530303030303030303030303030303030303030652b30300000000000");
  EXPECT_EQ(decode_hex(hex_of(0.1, {.minor_version = 0})).value, term{0.1});
}

TEST(Etf, CompressesWhatDoesNotGetLongerByIt) {
  // as term_to_binary(<<"xxxxxxxxxxxxxxx">>, [{compressed, 6}]) and one byte less
  const auto xs = [](std::size_t n) { return term{std::string(n, 'x')}; };
  EXPECT_EQ(hex_of(xs(15), {.compression = 6}), "835000000014789ccb656060e0af40050041c80785");
  EXPECT_EQ(hex_of(xs(14), {.compression = 6}), hex_of(xs(14)));
  const auto large = etf::encode(xs(100'000), {.compression = 9});
  EXPECT_LT(large.size(), 200U);
  EXPECT_EQ(etf::decode(large).value, xs(100'000));
}

TEST(Etf, WritesMapsInTheOrderOfTheirEntriesUnlessDeterministic) {
  const term m = map_of({{2, "b"_a}, {1, "a"_a}});
  EXPECT_EQ(hex_of(m), "83740000000261027701626101770161");
  EXPECT_EQ(hex_of(m, {.deterministic = true}), "83740000000261017701616102770162");
}

TEST(Etf, AppendsToABuffer) {
  std::vector<char> out{'x'};
  etf::encode(term{1}, out);
  etf::encode(term{2}, out, {.version_byte = false});
  EXPECT_EQ(to_hex(out), "788361016102");
}

TEST(Etf, TellsWhereATermEnds) {
  const auto bytes = from_hex("8368016a836109");
  EXPECT_EQ(etf::decode(bytes).error, etf::errc::trailing_bytes);
  EXPECT_EQ(etf::decode(bytes).offset, 4U);
  const auto first = etf::decode(bytes, {.allow_trailing = true});
  ASSERT_TRUE(first);
  EXPECT_EQ(first.used, 4U);
  EXPECT_EQ(decode_hex("836109").used, 3U);
}

TEST(Etf, NamesTheErrorAndItsPlace) {
  const auto result = decode_hex("83680261017701ff");
  EXPECT_EQ(result.error, etf::errc::bad_atom);
  EXPECT_EQ(result.offset, 5U);
  EXPECT_EQ(message(result), "bad_atom: an atom is UTF-8 of at most 255 characters, at byte 5");
  EXPECT_TRUE(message(decode_hex("8361")).starts_with("truncated"));
  EXPECT_EQ(decode_hex("836101").error, etf::errc::none);
}

TEST(Etf, RefusesEachKindOfNonsenseByName) {
  using enum etf::errc;
  const std::pair<const char*, etf::errc> cases[] = {
    {"", truncated},
    {"826101", bad_version},
    {"8300", unknown_tag},
    {"83467ff8000000000000", bad_float},
    {"834d0000000109ff", bad_bitstring},
    {"834d0000000001", bad_bitstring},
    {"836777036e4068000000010000000204", bad_identity}, // an old creation has two bits
    {"835a000677036e406800000001", bad_identity},       // six words
    {"83586101000000010000000200000003", bad_identity},
    {"837161017701666101", bad_fun},
    {"8374000000026101610161016102", duplicate_key},
    {"8374000000027701616101640001616102", duplicate_key}, // one atom in two encodings
    {"8350000000ffffff", bad_compression},
  };
  for (const auto& [hex, error] : cases)
    EXPECT_EQ(decode_hex(hex).error, error) << hex;
}

TEST(Etf, FlattensListsWhoseTailsAreLists) {
  // [1|[2|"ab"]], and one of a million cells, each the tail of the one before
  EXPECT_EQ(hex_of(decode_hex("836c0000000161016c0000000161026b00026162").value),
            "836b000401026162");
  std::string chain;
  for (int i = 0; i < 1'000'000; ++i)
    chain += std::string{"l\0\0\0\1a\1", 7};
  const auto bytes = '\x83' + chain + 'j';
  const auto result = etf::decode(std::span{bytes});
  ASSERT_TRUE(result);
  EXPECT_EQ(result.value.get_if<list>()->size(), 1'000'000U);
}

TEST(Etf, SharesLargeBinariesWithTheFrame) {
  const std::string large(5000, 'x');
  const auto frame = std::make_shared<const std::vector<char>>(
    etf::encode(term{tuple_of(std::string(100, 'y'), large)}));
  const auto result = etf::decode(frame);
  ASSERT_TRUE(result);
  const auto& elements = *result.value.get_if<actors::tuple>();
  const auto inside = [&](const term& t) {
    const auto* data = t.get_if<actors::binary>()->view().data();
    return data >= frame->data() && data < frame->data() + frame->size();
  };
  EXPECT_FALSE(inside(elements[0])); // too small to keep the frame for
  EXPECT_TRUE(inside(elements[1]));
  EXPECT_EQ(elements[1].as<std::string>(), large);
  EXPECT_EQ(frame.use_count(), 2);
}

TEST(EtfLimits, BoundTheSize) {
  EXPECT_EQ(decode_hex("836101", {.limits = {.max_size = 2}}).error, etf::errc::too_large);
  EXPECT_TRUE(decode_hex("836101", {.limits = {.max_size = 3}}));
}

TEST(EtfLimits, BoundTheDepth) {
  EXPECT_TRUE(decode_hex("8368016801"
                         "6101",
                         {.limits = {.max_depth = 2}}));
  const auto deeper = decode_hex("83680168016801"
                                 "6101",
                                 {.limits = {.max_depth = 2}});
  EXPECT_EQ(deeper.error, etf::errc::too_deep);
  EXPECT_EQ(deeper.offset, 7U); // behind the header of the tuple that is too much
}

TEST(EtfLimits, StopAMillionLevelsWithoutTheStack) {
  std::string bytes{"\x83"};
  for (int i = 0; i < 1'000'000; ++i)
    bytes += "h\1";
  bytes += 'j';
  EXPECT_EQ(etf::decode(std::span{bytes}).error, etf::errc::too_deep);
  // and whoever allows that many gets them
  const auto result = etf::decode(std::span{bytes}, {.limits = {.max_depth = 1'000'000}});
  ASSERT_TRUE(result);
  EXPECT_EQ(etf::encode(result.value), (std::vector<char>{bytes.begin(), bytes.end()}));
}

TEST(EtfLimits, BoundTheMemoryThatFewBytesAskFor) {
  // an empty list takes a byte on the wire and a whole term in memory
  std::string bytes{"\x83l\0\x10\0\0", 6};
  bytes.append((1 << 20) + 1, 'j'); // the elements, and the tail
  EXPECT_TRUE(etf::decode(std::span{bytes}));
  const auto bounded = etf::decode(std::span{bytes}, {.limits = {.max_memory = 1 << 20}});
  EXPECT_EQ(bounded.error, etf::errc::too_much_memory);
}

TEST(EtfLimits, DoNotTrustLengths) {
  using enum etf::errc;
  for (const auto* hex : {"836c7fffffff6a", "8369ffffffff6a", "8374ffffffff61016101",
                          "836dffffffff00", "836fffffffff0001", "836bffff00"})
    EXPECT_EQ(decode_hex(hex).error, truncated) << hex;
  // nested promises count together: each alone would fit what is left
  EXPECT_EQ(decode_hex("836804"
                       "6804"
                       "6804"
                       "6101610161016101")
              .error,
            truncated);
}

TEST(EtfCompressed, InflatesWithinTheLimit) {
  const auto body = string_ext(10000);
  const auto size = static_cast<std::uint32_t>(body.size());
  const auto bytes = compressed(body, size);
  ASSERT_TRUE(etf::decode(bytes));
  EXPECT_EQ(etf::decode(bytes).used, bytes.size());
  EXPECT_EQ(etf::decode(bytes, {.limits = {.max_inflated = size - 1}}).error,
            etf::errc::too_much_inflated);
}

TEST(EtfCompressed, RefusesALengthThatIsNotTheRealOne) {
  const auto body = string_ext(10000);
  const auto size = static_cast<std::uint32_t>(body.size());
  for (const auto told : {size - 1, size + 1, 0U, size * 100})
    EXPECT_EQ(etf::decode(compressed(body, told)).error, etf::errc::bad_compression) << told;
}

TEST(EtfCompressed, RefusesABombBeforeInflatingIt) {
  // 100 bytes cannot inflate to a gibibyte, and 64 MiB is the limit whatever they inflate to
  auto bytes = compressed(std::string(1 << 26, 'j'), 1U << 30);
  EXPECT_EQ(etf::decode(bytes).error, etf::errc::too_much_inflated);
  bytes.resize(100);
  EXPECT_EQ(etf::decode(bytes, {.limits = {.max_inflated = std::size_t{2} << 30}}).error,
            etf::errc::bad_compression);
}

TEST(EtfPolicy, RefusesUnknownNames) {
  etf::decode_options safe;
  safe.policy.atom = [](std::string_view name) { return name == "ok" || name == "lists"; };
  EXPECT_TRUE(decode_hex("8377026f6b", safe));
  EXPECT_EQ(decode_hex("8377026f6c", safe).error, etf::errc::unknown_atom);
  EXPECT_EQ(decode_hex("835977036e40680000000100000001", safe).error, etf::errc::unknown_atom);
  const auto* export_fun = "837177056c6973747377026f6b6102"; // fun lists:ok/2
  EXPECT_EQ(decode_hex(export_fun, safe).error, etf::errc::unknown_export);
  safe.policy.exported = [](const actors::external_fun& f) { return f.arity == 2; };
  EXPECT_TRUE(decode_hex(export_fun, safe));
}

TEST(EtfReader, WalksWithoutCopying) {
  const auto bytes = etf::encode(term{tuple_of("ok"_a, list_of("a"_a, 7), map_of({{1, "one"}}))});
  std::string inflated;
  const auto frame = etf::open({bytes.data(), bytes.size()}, {}, inflated);
  etf::reader r{frame.body, frame.error};
  std::vector<etf::token_type> types;
  for (etf::token t; r.next(t);)
    types.push_back(t.type);
  EXPECT_EQ(r.error(), etf::errc::none);
  EXPECT_EQ(r.position(), frame.body.size());
  using enum etf::token_type;
  EXPECT_EQ(types, (std::vector{tuple, atom, list, atom, integer, nil, map, integer, binary}));
}

TEST(EtfReader, AgreesWithTheDecoder) {
  for (const auto& bytes : all_vectors()) {
    if (bytes.empty() || bytes[0] != '\x83' || (bytes.size() > 1 && bytes[1] == 'P'))
      continue;
    const auto decoded = etf::decode(bytes, {.allow_trailing = true});
    if (decoded.error == etf::errc::duplicate_key) // which only the decoder looks for
      continue;
    EXPECT_EQ(count_terms({bytes.data() + 1, bytes.size() - 1}).has_value(),
              decoded.error == etf::errc::none);
  }
}

TEST(EtfMutations, EveryPrefixIsRefused) {
  for (const auto& bytes : all_vectors()) {
    const auto whole = etf::decode(bytes, {.allow_trailing = true});
    const auto step = bytes.size() > 4000 ? bytes.size() / 1000 : 1;
    for (std::size_t n = 0; n < whole.used; n += step)
      EXPECT_FALSE(etf::decode(std::span{bytes.data(), n}, {.allow_trailing = true}));
  }
}

// What decodes must be a term like any other; that nothing crashes is for sanitizers to see.
void use(const etf::decode_result& result) {
  if (!result)
    return;
  const auto again = etf::decode(etf::encode(result.value));
  ASSERT_TRUE(again) << message(again);
  EXPECT_EQ(again.value, result.value);
  EXPECT_EQ(hash_value(again.value), hash_value(result.value));
  EXPECT_FALSE(to_string(result.value).empty());
}

TEST(EtfMutations, NoSingleByteBreaksTheDecoder) {
  for (auto bytes : all_vectors()) {
    const auto step = bytes.size() > 400 ? bytes.size() / 100 : 1;
    for (std::size_t i = 1; i < bytes.size(); i += step)
      for (const int flip : {0x01, 0x02, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff}) {
        bytes[i] = static_cast<char>(bytes[i] ^ flip);
        use(etf::decode(bytes, {.allow_trailing = true}));
        bytes[i] = static_cast<char>(bytes[i] ^ flip);
      }
  }
}

TEST(EtfMutations, NorDoSplicedVectors) {
  const auto vectors = all_vectors();
  std::mt19937 random{20250101}; // NOLINT: the same cases each time
  const auto pick = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = vectors[pick(vectors.size())];
    const auto& other = vectors[pick(vectors.size())];
    if (bytes.size() > 2000 || bytes.empty() || other.empty())
      continue;
    const auto from = pick(other.size());
    const auto length = std::min<std::size_t>(pick(40), other.size() - from);
    const auto at = static_cast<std::ptrdiff_t>(1 + pick(bytes.size() - 1));
    const auto* part = other.data() + from;
    bytes.insert(bytes.begin() + at, part, part + length);
    use(etf::decode(bytes, {.allow_trailing = true}));
  }
}

} // namespace
} // namespace penning::bridge
