#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <list>
#include <vector>

namespace penning::io {

/// Bytes that wait for a descriptor to take them, each piece with a short header before it or none.
/// No clock, no polling: `write_some` is one writev(2).
class write_queue {
 public:
  using header = std::array<char, 4>;

  void push(std::vector<char> body) { push({}, 0, std::move(body)); }
  void push(const header& head, std::vector<char> body) {
    push(head, head.size(), std::move(body));
  }
  void clear();

  bool empty() const noexcept { return pieces_.empty(); }
  std::size_t size() const noexcept { return size_; } ///< In bytes, headers included.

  /// What the descriptor took, or -1 and errno (EAGAIN, EPIPE, ...). The queue must not be empty.
  ssize_t write_some(int fd);

 private:
  struct piece {
    header head;
    std::size_t head_size;
    std::vector<char> body;
    std::size_t size() const { return head_size + body.size(); }
  };
  void push(const header& head, std::size_t head_size, std::vector<char> body);
  void take(std::size_t count);

  std::list<piece> pieces_; // not a deque: empty it takes no memory
  std::size_t offset_ = 0;  // taken of the front
  std::size_t size_ = 0;
};

} // namespace penning::io
