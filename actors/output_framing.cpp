#include <penning/actors/output_framing.hpp>
#include <penning/io/launch_options.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace penning::actors {

void validate(const delivery& how, const char* option) {
  const bool of_records = how.what == delivery::kind::records;
  const auto refuse = [&](const std::string& value, const std::string& problem) {
    throw io::option_error{option, value, problem};
  };
  if (of_records && (how.delimiter.empty() || how.delimiter.size() > delivery::max_delimiter))
    refuse(how.delimiter, "the delimiter of records has 1 to 256 bytes");
  if (!of_records && !how.delimiter.empty())
    refuse(how.delimiter, "only records have a delimiter");
  if (how.max_length == 0 || how.max_length > delivery::longest)
    refuse(std::to_string(how.max_length), "the length must be from 1 to 1073741824 bytes");
}

output_framing::output_framing(const delivery& how)
    : delimiter_{how.what == delivery::kind::lines ? "\n" : how.delimiter},
      max_length_{how.max_length} {}

void output_framing::feed(std::vector<char> bytes, line_list& lines) {
  if (held_.empty())
    held_ = std::move(bytes);
  else
    held_.insert(held_.end(), bytes.begin(), bytes.end());
  std::size_t begin = 0;
  for (bool found = true; found;) {
    const auto at = find(searched_); // where one begins, or the first place where one still may
    found = at + delimiter_.size() <= held_.size();
    for (; at - begin > max_length_; begin += max_length_)
      lines.push_back(copy(begin, begin + max_length_, false));
    if (found)
      lines.push_back(copy(begin, at, true));
    searched_ = found ? at + delimiter_.size() : at;
    if (found)
      begin = searched_;
  }
  keep_from(begin);
}

void output_framing::finish(line_list& lines) {
  for (std::size_t begin = 0; begin < held_.size(); begin += max_length_)
    lines.push_back(copy(begin, std::min(held_.size(), begin + max_length_), false));
  held_ = {};
  searched_ = 0;
}

std::size_t output_framing::find(std::size_t from) const {
  const auto* found = static_cast<const char*>(
    ::memmem(held_.data() + from, held_.size() - from, delimiter_.data(), delimiter_.size()));
  if (found)
    return static_cast<std::size_t>(found - held_.data());
  const auto partial = delimiter_.size() - 1;
  return std::max(from, held_.size() - std::min(held_.size(), partial));
}

line output_framing::copy(std::size_t begin, std::size_t end, bool complete) const {
  return {{held_.data() + begin, held_.data() + end}, complete};
}

void output_framing::keep_from(std::size_t begin) {
  if (begin > 0) // in memory of its own: what a whole chunk took is free again
    held_ = {held_.begin() + static_cast<std::ptrdiff_t>(begin), held_.end()};
  searched_ -= begin;
}

} // namespace penning::actors
