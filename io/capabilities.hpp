#pragma once

#include <penning/io/launch_options.hpp>

#include <cstdint>

namespace penning::io {

/// What a child may have of its capabilities, as bits by their numbers.
struct capability_limit {
  std::uint64_t allowed = ~std::uint64_t{0};
  bool is_exact = false; ///< It has all that are allowed, not only those that it would have anyway.

  bool changes() const noexcept { return is_exact || allowed != ~std::uint64_t{0}; }
};

/// Throws `option_error` naming `capabilities` for a name that libcap does not know.
capability_limit resolve_capabilities(const capability_change& change);

} // namespace penning::io
