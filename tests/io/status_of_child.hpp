#pragma once

#include "recorder.hpp"

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace penning::io::test {

inline std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The fields of /proc/PID/status, of a child that writes its own, see proc(5).
class status_of_child {
 public:
  explicit status_of_child(std::string text) : text_(std::move(text)) {}
  explicit status_of_child(const recorder::record& child) : text_(child.out) {}

  /// Its words with one space between them; "missing" where there is no such field.
  std::string operator[](const std::string& name) const {
    std::istringstream lines(text_);
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with(name + ":"))
        return words(line.substr(name.size() + 1));
    return "missing";
  }

 private:
  static std::string words(const std::string& line) {
    std::istringstream in(line);
    std::string result;
    for (std::string word; in >> word;)
      result += (result.empty() ? "" : " ") + word;
    return result;
  }

  std::string text_;
};

} // namespace penning::io::test
