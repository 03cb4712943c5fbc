#include "signal_watch.hpp"

#include "run_on.hpp"

#include <csignal>
#include <utility>

namespace penning::apps {

signal_watch::signal_watch(boost::asio::io_context& io, callback call)
    : io_{io},
      signals_{io, SIGINT, SIGTERM, SIGHUP},
      call_{std::move(call)} {}

std::shared_ptr<signal_watch> signal_watch::start(boost::asio::io_context& io, callback call) {
  std::shared_ptr<signal_watch> watch{new signal_watch{io, std::move(call)}};
  boost::asio::post(io, [watch] { watch->wait(); });
  return watch;
}

void signal_watch::wait() {
  signals_.async_wait([self = shared_from_this()](boost::system::error_code error, int number) {
    if (error)
      return;
    if (self->call_)
      self->call_(number);
    self->wait();
  });
}

void signal_watch::close() {
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGINT, SIGTERM, SIGHUP})
    sigaddset(&set, number);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  run_on(io_, [this] { call_ = nullptr; });
}

} // namespace penning::apps
