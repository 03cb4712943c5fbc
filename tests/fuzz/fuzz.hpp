#pragma once

// What the fuzz targets share. A target defines `LLVMFuzzerTestOneInput`, and is either linked with
// clang's libFuzzer or with replay.cpp.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

/// Called for each input. Returns 0; what is wrong ends the program.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace penning::fuzz {

/// Ends the program, as a sanitizer does, unless `property` holds; then says which one.
inline void require(bool holds, const char* property) {
  if (holds)
    return;
  std::fprintf(stderr, "does not hold: %s\n", property);
  std::abort();
}

inline std::span<const char> bytes_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

} // namespace penning::fuzz
