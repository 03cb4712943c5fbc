#pragma once

#include <cstddef>
#include <vector>

namespace penning::bridge::etf {

/// Deflates the encoded term that starts at `start`, with its version byte, unless that makes it
/// longer, as `term_to_binary` does. A term that zlib has no memory for stays as it is.
void compress_in_place(std::vector<char>& bytes, std::size_t start, int level);

} // namespace penning::bridge::etf
