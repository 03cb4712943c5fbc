#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penning::actors {

/// Immutable bytes of an atom or a binary: up to 30 stand in the value itself, more of them are
/// shared, so a copy costs O(1) whatever the size, and a part of a received frame can be kept
/// without copying it.
///
/// Errors: `std::length_error` beyond `max_size()`, the most that Erlang's external term format
/// can carry. Thread safety: as `std::shared_ptr`, distinct values may share bytes across threads.
class shared_bytes {
 public:
  static constexpr std::size_t near_capacity = 30;

  static constexpr std::size_t max_size() noexcept { return 0xffffffffU; }

  shared_bytes() noexcept : near_{} {}
  /// Copies `text`.
  explicit shared_bytes(std::string_view text) {
    if (text.size() <= near_capacity)
      set_near(text);
    else
      set_far_copy(text);
  }
  /// Takes the buffer over; copies nothing when it holds more than `near_capacity` bytes.
  explicit shared_bytes(std::string&& text);
  explicit shared_bytes(std::vector<char>&& bytes);
  /// Keeps `owner` alive for as long as `part`, which it owns, is in use.
  shared_bytes(std::shared_ptr<const void> owner, std::string_view part);

  shared_bytes(const shared_bytes& other) noexcept {
    if (other.is_far())
      new (&far_) far_bytes{other.far_};
    else
      near_ = other.near_;
  }
  shared_bytes(shared_bytes&& other) noexcept {
    if (other.is_far())
      take_far(other);
    else
      near_ = other.near_;
  }
  shared_bytes& operator=(const shared_bytes& other) noexcept;
  shared_bytes& operator=(shared_bytes&& other) noexcept {
    if (this != &other) {
      this->~shared_bytes();
      new (this) shared_bytes{std::move(other)};
    }
    return *this;
  }
  ~shared_bytes() {
    if (is_far())
      far_.~far_bytes();
  }

  std::string_view view() const noexcept {
    return is_far() ? std::string_view{far_.data, far_.size} : std::string_view{near_.text, mark()};
  }

  friend bool operator==(const shared_bytes& a, const shared_bytes& b) noexcept {
    return a.view() == b.view();
  }

 private:
  // Both layouts end in the mark: the number of bytes in place, or far_mark.
  static constexpr unsigned char far_mark = 0xff;

  struct near_bytes {
    char text[31];
    unsigned char mark;
  };

  struct far_bytes {
    std::shared_ptr<const void> owner;
    const char* data;
    std::uint32_t size;
    char unused[3];
    unsigned char mark;
  };
  static_assert(sizeof(near_bytes) == 32 && sizeof(far_bytes) == 32);

  unsigned char mark() const noexcept {
    return reinterpret_cast<const unsigned char*>(this)[sizeof(near_bytes) - 1];
  }
  bool is_far() const noexcept { return mark() == far_mark; }
  void set_near(std::string_view text) noexcept {
    new (&near_) near_bytes{};
    if (!text.empty())
      std::memcpy(near_.text, text.data(), text.size());
    near_.mark = static_cast<unsigned char>(text.size());
  }
  void take_far(shared_bytes& other) noexcept;
  void set_far_copy(std::string_view text);
  void set_far(std::shared_ptr<const void> owner, std::string_view part) noexcept;
  template <class Buffer>
  void adopt(Buffer&& buffer);

  union {
    near_bytes near_;
    far_bytes far_;
  };
};

} // namespace penning::actors
