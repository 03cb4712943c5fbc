#include <penning/io/input_writer.hpp>
#include <penning/io/pty.hpp>

#include <cerrno>
#include <utility>

namespace penning::io {
namespace {

/// After so much in one turn the other children have theirs.
constexpr std::size_t turn_bytes = 256UL * 1024;

} // namespace

void input_writer::write(std::vector<char> bytes) {
  if (closing_ || bytes.empty())
    return;
  if (!opened_) {
    closing_ = true; // told once
    return events_.stdin_failed({EBADF, std::system_category()});
  }
  if (!fd_)
    return;
  last_ = bytes.back();
  queue_.push(std::move(bytes));
  if (!waiting_)
    flush();
}

void input_writer::close_when_written() {
  closing_ = true;
  if (queue_.empty())
    finish();
}

/// Once nothing is left of what the owner wrote.
void input_writer::finish() {
  if (end_ == input_end::closing)
    return close();
  if (!fd_ || std::exchange(finished_, true))
    return;
  auto end = end_of_file(fd_.get(), last_);
  if (end.empty())
    return;
  queue_.push({end.begin(), end.end()});
  flush();
}

void input_writer::close() {
  if (watch_.is_open())
    watch_.release();
  fd_.reset();
  queue_.clear();
}

void input_writer::flush() {
  if (end_ == input_end::character && is_deserted(fd_.get()))
    return fail(EIO);
  std::size_t total = 0;
  int error = 0;
  while (error == 0 && !queue_.empty() && total < turn_bytes) {
    ssize_t count = queue_.write_some(fd_.get());
    count < 0 ? error = errno : total += static_cast<std::size_t>(count);
  }
  if (total > 0 && !finished_) // a terminal's end of file is nobody's bytes
    events_.written(total);
  if (error != 0 && error != EAGAIN)
    return fail(error);
  if (!queue_.empty())
    return wait();
  if (watch_.is_open())
    watch_.release(); // or each read of the child would wake us
  if (closing_)
    finish();
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
  if (!fd_)
    return;
  close();
  events_.stdin_failed({error, std::system_category()});
}

} // namespace penning::io
