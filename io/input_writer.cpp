#include <penning/io/input_writer.hpp>

#include <cerrno>

namespace penning::io {
namespace {

/// After so much in one turn the other children have theirs.
constexpr std::size_t turn_bytes = 256UL * 1024;

} // namespace

void input_writer::write(std::vector<char> bytes) {
  if (!fd_ || closing_ || bytes.empty())
    return;
  queue_.push(std::move(bytes));
  if (!waiting_)
    flush();
}

void input_writer::close_when_written() {
  closing_ = true;
  if (queue_.empty())
    close();
}

void input_writer::close() {
  if (watch_.is_open())
    watch_.release();
  fd_.reset();
  queue_.clear();
}

void input_writer::flush() {
  std::size_t total = 0;
  int error = 0;
  while (error == 0 && !queue_.empty() && total < turn_bytes) {
    ssize_t count = queue_.write_some(fd_.get());
    count < 0 ? error = errno : total += static_cast<std::size_t>(count);
  }
  if (total > 0)
    events_.written(total);
  if (error != 0 && error != EAGAIN)
    return fail(error);
  if (!queue_.empty())
    return wait();
  if (watch_.is_open())
    watch_.release(); // or each read of the child would wake us
  if (closing_)
    close();
}

void input_writer::wait() {
  boost::system::error_code error;
  if (!watch_.is_open())
    watch_.assign(fd_.get(), error);
  if (error)
    return fail(error.value());
  waiting_ = true;
  watch_.async_wait(watch_.wait_write, [this, alive = events_.keep_alive()](auto aborted) {
    waiting_ = false;
    if (!aborted && fd_)
      flush();
  });
}

void input_writer::fail(int error) {
  close();
  events_.stdin_failed({error, std::system_category()});
}

} // namespace penning::io
