#include "read_tree.hpp"

#include <penning/io/unique_fd.hpp>

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace penning::apps {

namespace {

// By read(2), which says why it failed: of a folder, say.
std::string contents_of(const std::string& file) {
  io::unique_fd fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  std::string text;
  std::array<char, 65'536> buffer;
  ssize_t size = fd ? 1 : -1;
  while (size > 0 && (size = ::read(fd.get(), buffer.data(), buffer.size())) > 0)
    text.append(buffer.data(), static_cast<std::size_t>(size));
  if (size < 0)
    throw std::runtime_error{file + ": " + std::system_category().message(errno)};
  return text;
}

} // namespace

supervision::tree_supervisor read_tree(const std::string& file) {
  auto tree = supervision::parse_tree(contents_of(file), file);
  supervision::check_programs(tree, file);
  return tree;
}

} // namespace penning::apps
