#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <future>

namespace penning::apps {

/// Runs `work` on the thread of `io` and waits for it. Not to be called on that thread.
template <class Work>
void run_on(boost::asio::io_context& io, Work work) {
  std::promise<void> done;
  boost::asio::post(io, [&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

} // namespace penning::apps
