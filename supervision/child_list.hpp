#pragma once

#include <penning/supervision/child_spec.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace penning::supervision {

/// Whether a child has a process.
enum class child_state : std::uint8_t {
  undefined, ///< Not running.
  running,
  restarting, ///< Its start failed and will be tried again.
};

struct child_info {
  term id;
  child_state state = child_state::undefined;
  caf::actor pid; ///< Null unless `running`.
  child_type type = child_type::worker;
  restart_type restart = restart_type::permanent;
  term modules = actors::atoms::undefined(); ///< As in `child_spec`, but never `undefined`.
};

/// The children of a supervisor at one time, as its answer to `which_children`.
///
/// A random access range of `child_info`, made anew each time that it is looked at. A copy, and the
/// supervisor's own making of it, costs O(1) for each 256 children: it shares them with the
/// supervisor, which copies those 256 before it changes one, while anyone still holds the list.
class child_list {
 public:
  /// One child; without a process it waits for a retry unless `state` says otherwise.
  struct entry {
    std::shared_ptr<const child_spec> spec;
    caf::actor pid;
    std::uint64_t key = 0; ///< The supervisor's own.
    child_state state = child_state::undefined;
  };
  class iterator;

  child_list() = default;
  /// Whether ids are shown: those of a dynamic supervisor's children do not matter.
  explicit child_list(bool has_ids) : has_ids_{has_ids} {}

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  /// Precondition: `index < size()`.
  child_info operator[](std::size_t index) const;
  iterator begin() const;
  iterator end() const;

  // -- for supervisors ---------------------------------------------------------------------------

  const entry& at(std::size_t index) const noexcept {
    return (*chunks_[index / chunk_size])[index % chunk_size];
  }
  /// To be changed.
  entry& own(std::size_t index);
  void push_back(entry added);
  /// Moves the last one to its place; returns the key of that, or of the removed one itself.
  std::uint64_t remove(std::size_t index);
  void clear();

 private:
  static constexpr std::size_t chunk_size = 256;
  using chunk = std::array<entry, chunk_size>;

  std::vector<std::shared_ptr<chunk>> chunks_;
  std::size_t size_ = 0;
  bool has_ids_ = true;
};

class child_list::iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using iterator_concept = std::random_access_iterator_tag;
  using value_type = child_info;
  using difference_type = std::ptrdiff_t;
  using pointer = void;
  using reference = child_info;

  iterator() = default;
  iterator(const child_list& list, std::size_t index) : list_{&list}, index_{index} {}

  child_info operator*() const { return (*list_)[index_]; }
  child_info operator[](difference_type n) const { return *(*this + n); }
  iterator& operator+=(difference_type n) {
    index_ += static_cast<std::size_t>(n);
    return *this;
  }
  iterator& operator-=(difference_type n) { return *this += -n; }
  iterator& operator++() { return *this += 1; }
  iterator& operator--() { return *this += -1; }
  iterator operator++(int) { return std::exchange(*this, *this + 1); }
  iterator operator--(int) { return std::exchange(*this, *this - 1); }
  friend iterator operator+(iterator i, difference_type n) { return i += n; }
  friend iterator operator+(difference_type n, iterator i) { return i += n; }
  friend iterator operator-(iterator i, difference_type n) { return i -= n; }
  friend difference_type operator-(iterator a, iterator b) {
    return static_cast<difference_type>(a.index_) - static_cast<difference_type>(b.index_);
  }
  friend bool operator==(iterator a, iterator b) { return a.index_ == b.index_; }
  friend auto operator<=>(iterator a, iterator b) { return a.index_ <=> b.index_; }

 private:
  const child_list* list_ = nullptr;
  std::size_t index_ = 0;
};

inline child_list::iterator child_list::begin() const {
  return {*this, 0};
}
inline child_list::iterator child_list::end() const {
  return {*this, size_};
}

} // namespace penning::supervision
