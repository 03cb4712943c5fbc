#include <penning/io/process_group.hpp>

#include <penning/io/pidfd.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <string>

namespace penning::io {
namespace {

template <class Number>
bool parse(std::string_view word, Number& number) {
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc{} && end == word.data() + word.size();
}

} // namespace

std::optional<process_stat> parse_stat(std::string_view line) {
  auto name_end = line.rfind(')');
  if (name_end == line.npos)
    return {};
  line.remove_prefix(name_end + 1);
  process_stat result;
  for (int field = 2; field < 22;) { // the name is field 2
    auto begin = line.find_first_not_of(" \n");
    if (begin == line.npos)
      return {};
    line.remove_prefix(begin);
    auto word = line.substr(0, line.find_first_of(" \n"));
    line.remove_prefix(word.size());
    ++field;
    std::uint64_t ticks = 0;
    if ((field == 5 && !parse(word, result.group)) || (field == 22 && !parse(word, result.start))
        || (field >= 14 && field <= 17 && !parse(word, ticks)))
      return {};
    (field % 2 == 0 ? result.user : result.system) += ticks;
  }
  return result;
}

std::optional<process_stat> stat_of(pid_t pid) {
  unique_fd file(::open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 1024> line; // a line has about 50 numbers and a name of at most 64 bytes
  ssize_t size = file ? ::read(file.get(), line.data(), line.size()) : -1;
  if (size <= 0)
    return {};
  return parse_stat({line.data(), static_cast<std::size_t>(size)});
}

std::uint64_t ticks_per_second() {
  static const auto result = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return result;
}

std::uint64_t ticks_since_boot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  const auto per_second = ticks_per_second();
  return static_cast<std::uint64_t>(now.tv_sec) * per_second
         + static_cast<std::uint64_t>(now.tv_nsec) * per_second / 1'000'000'000;
}

std::vector<held_member> living_members(pid_t id, std::uint64_t reaped, std::size_t limit,
                                        std::error_code& error) {
  std::vector<held_member> result;
  std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), &::closedir);
  if (proc == nullptr) {
    error.assign(errno, std::system_category());
    return result;
  }
  auto is_member = [&](pid_t pid) {
    auto stat = stat_of(pid);
    return stat && stat->group == id && (reaped == 0 || stat->start <= reaped);
  };
  while (auto* entry = ::readdir(proc.get())) {
    pid_t pid = 0;
    if (!parse(entry->d_name, pid) || !is_member(pid))
      continue;
    if (pid == id && reaped == 0)
      continue;
    if (pid == id)
      return {};
    unique_fd pidfd = open_pidfd(pid);
    if (!pidfd && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
      error.assign(errno, std::system_category());
    if (pidfd && is_member(pid) && !is_dead(pidfd.get()))
      result.push_back({pid, std::move(pidfd)});
    if (result.size() == limit)
      break;
  }
  if (!result.empty())
    error.clear();
  return result;
}

} // namespace penning::io
