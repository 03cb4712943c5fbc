#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

namespace penning::io {

/// A descriptor that the thread of a context waits for.
///
/// Not Asio's `posix::stream_descriptor`, whose executor of any kind takes half of its 80 bytes, and
/// as much again in every wait: each child has four of them.
using watched_descriptor =
  boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

} // namespace penning::io
