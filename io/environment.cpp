#include <penning/io/environment.hpp>

#include <unistd.h>

#include <algorithm>

namespace penning::io {
namespace {

bool is_of(std::string_view entry, std::string_view name) {
  return entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name);
}

} // namespace

void environment::add(std::string_view entry) {
  text_ += entry;
  text_ += '\0';
  ++count_;
}

std::vector<const char*> environment::pointers() const {
  std::vector<const char*> result;
  result.reserve(count_ + 1);
  for (std::size_t begin = 0; begin < text_.size(); begin = text_.find('\0', begin) + 1)
    result.push_back(text_.data() + begin);
  result.push_back(nullptr);
  return result;
}

environment child_environment(const launch_options& options) {
  environment result;
  const auto& changes = options.env;
  for (auto* entry = options.clear_env ? nullptr : ::environ; entry && *entry; ++entry)
    if (std::ranges::none_of(changes, [&](const auto& x) { return is_of(*entry, x.first); }))
      result.add(*entry);
  for (auto change = changes.begin(); change != changes.end(); ++change) {
    const auto& [name, value] = *change;
    const auto is_last = std::none_of(change + 1, changes.end(),
                                      [&name = name](const auto& x) { return x.first == name; });
    if (value && is_last)
      result.add(name + "=" + *value);
  }
  return result;
}

} // namespace penning::io
