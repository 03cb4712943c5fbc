#pragma once

namespace penning::test {

/// A sanitizer keeps what is freed for a while, and has books of its own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool memory_is_ours = false;
#else
inline constexpr bool memory_is_ours = true;
#endif

} // namespace penning::test
