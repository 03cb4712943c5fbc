#include <penning/io/packet_decoder.hpp>

#include <algorithm>
#include <utility>

namespace penning::io {

packet_decoder::result packet_decoder::next(std::string_view& input, std::vector<char>& frame) {
  for (; header_bytes_ < 4; ++header_bytes_) {
    if (input.empty())
      return result::more;
    length_ = (length_ << 8) | static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
  }
  if (length_ > max_frame_)
    return result::too_long;
  auto part = input.substr(0, length_ - frame_.size());
  append(part);
  input.remove_prefix(part.size());
  if (frame_.size() < length_)
    return result::more;
  frame = std::exchange(frame_, {});
  header_bytes_ = 0;
  return result::frame;
}

/// Doubles the memory as it fills, but never beyond the announced length.
void packet_decoder::append(std::string_view bytes) {
  auto needed = frame_.size() + bytes.size();
  if (needed > frame_.capacity())
    frame_.reserve(std::min<std::size_t>(length_, std::max(needed, 2 * frame_.capacity())));
  frame_.insert(frame_.end(), bytes.begin(), bytes.end());
}

} // namespace penning::io
