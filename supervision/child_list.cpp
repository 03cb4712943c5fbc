#include <penning/supervision/child_list.hpp>

#include <penning/supervision/spec_term.hpp>

#include <atomic>

namespace penning::supervision {

child_info child_list::operator[](std::size_t index) const {
  const auto& which = at(index);
  return {has_ids_ ? which.spec->id : term{actors::atoms::undefined()},
          which.state,
          which.pid,
          which.spec->type,
          which.spec->restart,
          modules_of(*which.spec)};
}

child_list::entry& child_list::own(std::size_t index) {
  auto& shared = chunks_[index / chunk_size];
  if (shared.use_count() > 1)
    shared = std::make_shared<chunk>(*shared);
  // Whoever held it has read it before it let go.
  std::atomic_thread_fence(std::memory_order_acquire);
  return (*shared)[index % chunk_size];
}

void child_list::push_back(entry added) {
  if (size_ == chunks_.size() * chunk_size)
    chunks_.push_back(std::make_shared<chunk>());
  own(size_++) = std::move(added);
}

std::uint64_t child_list::remove(std::size_t index) {
  auto last = std::exchange(own(--size_), {});
  const auto key = last.key;
  if (index < size_)
    own(index) = std::move(last);
  if (size_ + chunk_size < chunks_.size() * chunk_size) // one chunk stays in store
    chunks_.pop_back();
  return key;
}

void child_list::clear() {
  chunks_.clear();
  size_ = 0;
}

} // namespace penning::supervision
