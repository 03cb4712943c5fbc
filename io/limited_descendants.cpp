#include <penning/io/limited_descendants.hpp>

#include <penning/io/cgroup_statistics.hpp>

#include <cerrno>
#include <utility>

namespace penning::io {
namespace {

constexpr int attempts_to_remove = 200; // a second

} // namespace

limited_descendants::limited_descendants(boost::asio::io_context& io, limited_cgroup group,
                                         std::function<void(const std::string&)> forget)
    : io_(io),
      group_(std::move(group)),
      living_(io, group_.best().path, group_.best().version),
      forget_(std::move(forget)) {}

void limited_descendants::when_gone(std::function<void()> f) {
  living_.when_gone([this, f = std::move(f)] {
    oom_killed();
    remove(f, attempts_to_remove);
  });
}

bool limited_descendants::oom_killed() {
  for (const auto& directory : group_.directories())
    oom_killed_ = oom_killed_ || read_oom_kills(directory.path).value_or(0) > 0;
  return oom_killed_;
}

std::error_code limited_descendants::remove() {
  std::vector<std::string> before;
  for (const auto& directory : group_.directories())
    before.push_back(directory.path);
  auto error = group_.remove();
  for (const auto& path : before)
    if (std::ranges::find(directories(), path, &limited_cgroup::directory::path)
        == directories().end())
      forget_(path);
  return error;
}

/// A process that is dead can be in its cgroup for a moment longer. What is left after that goes
/// with the guardian.
void limited_descendants::remove(std::function<void()> f, int attempts) {
  if (remove() != std::errc::device_or_resource_busy || attempts == 0)
    return f();
  a_moment_later(io_, [this, f = std::move(f), attempts] { remove(f, attempts - 1); });
}

} // namespace penning::io
