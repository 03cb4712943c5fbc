#include <penning/bridge/etf_reader.hpp>

#include <zlib.h>

#include <algorithm>

namespace penning::bridge::etf {
namespace {

/// What one byte can inflate to at most: deflate's limit is about 1:1032.
constexpr std::size_t max_ratio = 1040;
constexpr std::size_t first_step = 4096;

/// Ends zlib's stream on every way out.
struct inflater {
  z_stream stream{};
  bool ready = inflateInit(&stream) == Z_OK;

  inflater() = default;
  inflater(const inflater&) = delete;
  inflater& operator=(const inflater&) = delete;
  ~inflater() {
    if (ready)
      inflateEnd(&stream);
  }
};

/// Inflates all of `bytes`'s stream, which must give `size` bytes exactly; the buffer grows only as
/// output comes, whatever the peer says that it will be.
errc inflate_all(std::string_view bytes, std::size_t size, std::string& out, std::size_t& used) {
  inflater z;
  if (!z.ready)
    return errc::bad_compression;
  z.stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.stream.avail_in = static_cast<uInt>(bytes.size());
  out.clear();
  auto status = Z_OK;
  while (status == Z_OK) {
    const auto have = out.size();
    // One byte of room beyond the end lets zlib see that the stream is over.
    out.resize(std::min(std::max(first_step, have * 2), size + 1));
    if (out.size() == have)
      return errc::bad_compression;
    z.stream.next_out = reinterpret_cast<Bytef*>(out.data() + have);
    z.stream.avail_out = static_cast<uInt>(out.size() - have);
    status = inflate(&z.stream, Z_NO_FLUSH);
    out.resize(out.size() - z.stream.avail_out);
  }
  used = bytes.size() - z.stream.avail_in;
  return status == Z_STREAM_END && out.size() == size ? errc::none : errc::bad_compression;
}

opened inflate_body(std::string_view rest, const limits& bounds, std::string& inflated) {
  opened result{.body = rest, .compressed = true};
  if (rest.size() < 4) {
    result.error = errc::truncated;
    return result;
  }
  std::size_t size = 0;
  for (const auto c : rest.substr(0, 4))
    size = size << 8 | static_cast<unsigned char>(c);
  rest.remove_prefix(4);
  if (size > bounds.max_inflated)
    result.error = errc::too_much_inflated;
  else if (size / max_ratio > rest.size())
    result.error = errc::bad_compression;
  else
    result.error = inflate_all(rest, size, inflated, result.used);
  result.used += 6; // version, tag, length
  result.body = inflated;
  return result;
}

} // namespace

opened open(std::string_view bytes, const limits& bounds, std::string& inflated) {
  if (bytes.size() > bounds.max_size)
    return {.body = {}, .error = errc::too_large};
  if (bytes.empty())
    return {.body = {}, .error = errc::truncated};
  if (static_cast<unsigned char>(bytes[0]) != version)
    return {.body = {}, .error = errc::bad_version};
  const auto body = bytes.substr(1);
  if (!body.empty() && static_cast<tag>(body[0]) == tag::compressed)
    return inflate_body(body.substr(1), bounds, inflated);
  return {.body = body};
}

} // namespace penning::bridge::etf
