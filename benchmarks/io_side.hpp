#pragma once

#include <penning/io/context.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace penning::bench {

/// An observer made of two functions, for sides that only count bytes and ends. Gives every byte
/// back as credit, so at most `window` are under way.
class counting_observer final : public io::child_observer {
 public:
  using on_bytes = std::function<void(std::size_t)>;
  using on_ended = std::function<void(const std::exception_ptr&)>;

  counting_observer(std::size_t window, on_bytes bytes, on_ended ended)
      : window_{window},
        bytes_{std::move(bytes)},
        ended_{std::move(ended)} {}

  void on_started(std::shared_ptr<io::child> handle) override {
    child_ = std::move(handle);
    child_->grant(io::output::out, window_);
    child_->grant(io::output::err, window_);
  }

  void on_start_failed(std::error_code error, std::string what) override {
    ended_(std::make_exception_ptr(std::system_error(error, what)));
  }

  void on_output(io::output stream, std::vector<char> bytes) override {
    if (bytes_)
      bytes_(bytes.size());
    child_->grant(stream, bytes.size());
  }

  void on_output_closed(io::output) override {}
  void on_written(std::size_t) override {}
  void on_stdin_closed(std::error_code) override {}

  void on_end(const io::child_end& end) override {
    child_.reset();
    const bool good = end.status == io::exit_status{};
    ended_(good ? nullptr
                : std::make_exception_ptr(std::runtime_error("the child ended with a failure")));
  }

 private:
  std::size_t window_;
  on_bytes bytes_;
  on_ended ended_;
  std::shared_ptr<io::child> child_;
};

} // namespace penning::bench
