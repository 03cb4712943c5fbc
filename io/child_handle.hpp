#pragma once

// Not installed: a child as its owner holds it.

#include <penning/io/running_child.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <csignal>
#include <memory>
#include <utility>

namespace penning::io {

/// Shared by the context and its children's handles, of which some may live longer than it.
struct loop {
  boost::asio::io_context io{BOOST_ASIO_CONCURRENCY_HINT_1};
};

/// What an owner holds of a child; all its calls go to the thread of the context.
class child_handle final : public child {
 public:
  child_handle(std::shared_ptr<loop> loop, std::shared_ptr<running_child> target)
      : loop_(std::move(loop)),
        target_(std::move(target)) {}
  ~child_handle() override { signal(SIGKILL, signal_target::group); }

  pid_t pid() const noexcept override { return target_->pid(); }
  containment_kind contained_by() const noexcept override { return target_->contained_by(); }
  void grant(output stream, std::size_t bytes) override {
    post([=](running_child& x) { x.grant(stream, bytes); });
  }
  void write(std::vector<char> bytes) override {
    post([bytes = std::move(bytes)](running_child& x) mutable { x.write(std::move(bytes)); });
  }
  void close_stdin() override {
    post([](running_child& x) { x.close_stdin(); });
  }
  void resize(window_size size) override {
    post([=](running_child& x) { x.resize(size); });
  }
  void hang_up() override {
    post([](running_child& x) { x.hang_up(); });
  }
  void signal(int number, signal_target target) override {
    post([=](running_child& x) { x.signal(number, target); });
  }
  cgroup_statistics statistics() const override { return target_->statistics(); }

 private:
  template <class Function>
  void post(Function f) {
    if (!target_->ended())
      boost::asio::post(loop_->io, [f = std::move(f), to = target_]() mutable { f(*to); });
  }

  std::shared_ptr<loop> loop_; // before target_, whose descriptors are registered with it
  std::shared_ptr<running_child> target_;
};

} // namespace penning::io
