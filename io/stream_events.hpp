#pragma once

#include <penning/io/child.hpp>

#include <array>
#include <memory>
#include <system_error>
#include <vector>

namespace penning::io {

/// What the streams of a child tell the one who owns them, on the context's thread.
class stream_events {
 public:
  virtual ~stream_events() = default;

  virtual void received(output stream, std::vector<char> bytes) = 0;
  virtual void reached_end(output stream) = 0;
  virtual void written(std::size_t bytes) = 0;
  virtual void stdin_failed(std::error_code reason) = 0;

  /// Keeps the owner, and so the stream, alive while an operation is under way.
  virtual std::shared_ptr<void> keep_alive() = 0;
};

/// Where all children of a context read to before a vector of the right size is made of it: one
/// system call, no zero-filling; measured as fast as reading straight into a vector for 64 KiB at a
/// time, and a third faster for lines than asking FIONREAD first.
using read_buffer = std::array<char, 64UL * 1024>;

} // namespace penning::io
