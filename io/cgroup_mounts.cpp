#include <penning/io/cgroup_mounts.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

namespace penning::io {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> result;
  for (std::size_t begin = 0, end = 0; end != text.npos && begin <= text.size(); begin = end + 1) {
    end = text.find(separator, begin);
    if (begin < text.size() && end != begin)
      result.emplace_back(text.substr(begin, end - begin));
  }
  return result;
}

bool is_octal(std::string_view digits) {
  return digits.size() == 3
         && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '7'; });
}

/// Blanks and backslashes of a path are written as `\040`.
std::string unescape(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && is_octal(text.substr(i + 1, 3))) {
      result += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 3)), nullptr, 8));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

/// Our cgroup in each hierarchy: by its list of controllers, which is empty for v2.
std::map<std::string, std::string> parse_own(std::string_view text) {
  std::map<std::string, std::string> result;
  for (const auto& line : split(text, '\n')) {
    auto first = line.find(':');
    auto second = first == line.npos ? first : line.find(':', first + 1);
    if (second != line.npos)
      result.emplace(line.substr(first + 1, second - first - 1), line.substr(second + 1));
  }
  return result;
}

/// Below the mount: what of the path is above the root of the mount is not seen there.
std::string own_directory(const std::string& mount, const std::string& mount_root,
                          const std::string& path) {
  if (path.empty() || path == "/" || path.starts_with("/.."))
    return mount;
  if (mount_root == "/")
    return mount + path;
  return path.starts_with(mount_root) ? mount + path.substr(mount_root.size()) : mount;
}

bool names_controller(const std::string& option, const std::map<std::string, std::string>& own) {
  return std::ranges::any_of(own, [&](const auto& entry) {
    auto names = split(entry.first, ',');
    return std::ranges::find(names, option) != names.end();
  });
}

const std::string* path_with(const std::map<std::string, std::string>& own,
                             const std::string& controller) {
  for (const auto& [list, path] : own) {
    auto names = split(list, ',');
    if (std::ranges::find(names, controller) != names.end())
      return &path;
  }
  return nullptr;
}

std::string text_of(const char* file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

} // namespace

std::vector<cgroup_hierarchy> parse_cgroup_mounts(std::string_view mountinfo,
                                                  std::string_view own_cgroups) {
  auto own = parse_own(own_cgroups);
  std::vector<cgroup_hierarchy> result;
  for (const auto& line : split(mountinfo, '\n')) {
    auto words = split(line, ' ');
    auto dash = std::ranges::find(words, "-");
    if (words.size() < 10 || words.end() - dash < 4)
      continue;
    cgroup_hierarchy found{.root = unescape(words[4])};
    auto mount_root = unescape(words[3]);
    if (dash[1] == "cgroup2") {
      found.own = own_directory(found.root, mount_root, own[""]);
    } else if (dash[1] == "cgroup") {
      found.version = 1;
      for (const auto& option : split(dash[3], ','))
        if (names_controller(option, own))
          found.controllers.push_back(option);
      const auto* path = found.controllers.empty() ? nullptr : path_with(own, found.controllers[0]);
      found.own = own_directory(found.root, mount_root, path ? *path : "");
    } else {
      continue;
    }
    result.push_back(std::move(found));
  }
  return result;
}

std::vector<cgroup_hierarchy> cgroup_mounts() {
  return parse_cgroup_mounts(text_of("/proc/self/mountinfo"), text_of("/proc/self/cgroup"));
}

const cgroup_hierarchy* find_unified(const std::vector<cgroup_hierarchy>& mounts) {
  auto found = std::ranges::find(mounts, 2, &cgroup_hierarchy::version);
  return found == mounts.end() ? nullptr : &*found;
}

const cgroup_hierarchy* find_controller(const std::vector<cgroup_hierarchy>& mounts,
                                        std::string_view controller) {
  auto found = std::ranges::find_if(mounts, [&](const cgroup_hierarchy& mount) {
    return std::ranges::find(mount.controllers, controller) != mount.controllers.end();
  });
  return found == mounts.end() ? nullptr : &*found;
}

} // namespace penning::io
