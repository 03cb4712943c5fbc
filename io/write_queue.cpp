#include <penning/io/write_queue.hpp>

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace penning::io {

void write_queue::push(const header& head, std::size_t head_size, std::vector<char> body) {
  pieces_.push_back({head, head_size, std::move(body)});
  size_ += pieces_.back().size();
}

void write_queue::clear() {
  pieces_.clear();
  offset_ = size_ = 0;
}

ssize_t write_queue::write_some(int fd) {
  std::array<iovec, 32> parts;
  std::size_t count = 0, skip = offset_;
  auto add = [&](char* data, std::size_t size) {
    auto skipped = std::min(skip, size);
    skip -= skipped;
    if (skipped < size)
      parts[count++] = {data + skipped, size - skipped};
  };
  for (auto p = pieces_.begin(); p != pieces_.end() && count + 2 <= parts.size(); ++p) {
    add(p->head.data(), p->head_size);
    add(p->body.data(), p->body.size());
  }
  ssize_t written;
  do
    written = ::writev(fd, parts.data(), static_cast<int>(count));
  while (written < 0 && errno == EINTR);
  if (written > 0)
    take(static_cast<std::size_t>(written));
  return written;
}

void write_queue::take(std::size_t count) {
  size_ -= count;
  offset_ += count;
  while (!pieces_.empty() && offset_ >= pieces_.front().size()) {
    offset_ -= pieces_.front().size();
    pieces_.pop_front();
  }
}

} // namespace penning::io
