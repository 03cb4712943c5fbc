#include <penning/actors/term_bytes.hpp>

#include <stdexcept>
#include <utility>

namespace penning::actors {
namespace {

void check_size(std::size_t size) {
  if (size > shared_bytes::max_size())
    throw std::length_error("a binary holds at most 4294967295 bytes");
}

} // namespace

void shared_bytes::set_far(std::shared_ptr<const void> owner, std::string_view part) noexcept {
  new (&far_)
    far_bytes{std::move(owner), part.data(), static_cast<std::uint32_t>(part.size()), {}, far_mark};
}

template <class Buffer>
void shared_bytes::adopt(Buffer&& buffer) {
  check_size(buffer.size());
  if (buffer.size() <= near_capacity)
    return set_near({buffer.data(), buffer.size()});
  auto owner = std::make_shared<const std::decay_t<Buffer>>(std::forward<Buffer>(buffer));
  const std::string_view part{owner->data(), owner->size()};
  set_far(std::move(owner), part);
}

void shared_bytes::set_far_copy(std::string_view text) {
  adopt(std::string{text});
}

shared_bytes::shared_bytes(std::string&& text) {
  adopt(std::move(text));
}

shared_bytes::shared_bytes(std::vector<char>&& bytes) {
  adopt(std::move(bytes));
}

shared_bytes::shared_bytes(std::shared_ptr<const void> owner, std::string_view part) {
  check_size(part.size());
  if (part.size() <= near_capacity)
    set_near(part); // shorter than the bookkeeping: not worth holding the owner for
  else
    set_far(std::move(owner), part);
}

void shared_bytes::take_far(shared_bytes& other) noexcept {
  new (&far_) far_bytes{std::move(other.far_)};
  other.far_.~far_bytes();
  other.set_near({});
}

shared_bytes& shared_bytes::operator=(const shared_bytes& other) noexcept {
  if (this != &other) {
    this->~shared_bytes();
    new (this) shared_bytes{other};
  }
  return *this;
}

} // namespace penning::actors
