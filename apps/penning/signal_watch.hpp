#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <functional>
#include <memory>

namespace penning::apps {

/// Calls back for each SIGINT, SIGTERM and SIGHUP, on the thread of an `io_context`.
class signal_watch : public std::enable_shared_from_this<signal_watch> {
 public:
  using callback = std::function<void(int)>;

  static std::shared_ptr<signal_watch> start(boost::asio::io_context& io, callback call);

  /// No call comes after it; the signals stay caught as long as the `io_context` lives, and blocked
  /// in the calling thread, so that none ends the program while it cleans up. Not on io's thread.
  void close();

 private:
  signal_watch(boost::asio::io_context& io, callback call);
  void wait();

  boost::asio::io_context& io_;
  boost::asio::signal_set signals_;
  callback call_;
};

} // namespace penning::apps
