#include <penning/bridge/etf_compress.hpp>

#include <penning/bridge/etf_tags.hpp>

#include <zlib.h>

#include <algorithm>
#include <cstdint>

namespace penning::bridge::etf {

void compress_in_place(std::vector<char>& bytes, std::size_t start, int level) {
  constexpr std::size_t header = 6; // version, tag, length
  const auto body = start + 1;
  const auto size = bytes.size() - body;
  if (size > 0xffffffffU || bytes.size() - start <= header)
    return;
  auto room = compressBound(size);
  std::vector<char> deflated(room);
  const auto status = compress2(reinterpret_cast<Bytef*>(deflated.data()), &room,
                                reinterpret_cast<const Bytef*>(bytes.data() + body), size, level);
  if (status != Z_OK || header + room > bytes.size() - start)
    return;
  bytes.resize(start + header + room);
  bytes[start + 1] = static_cast<char>(tag::compressed);
  for (unsigned i = 0; i < 4; ++i)
    bytes[start + 2 + i] = static_cast<char>(size >> (24 - 8 * i));
  std::copy_n(deflated.begin(), room, bytes.begin() + static_cast<std::ptrdiff_t>(start + header));
}

} // namespace penning::bridge::etf
