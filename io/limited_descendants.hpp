#pragma once

#include <penning/io/cgroup_descendants.hpp>
#include <penning/io/limited_cgroup.hpp>

#include <functional>
#include <string>

namespace penning::io {

/// The processes in a child's own control group, which is removed after them.
class limited_descendants final : public descendants {
 public:
  /// `group` is not empty. `forget` is told each path that has been removed.
  limited_descendants(boost::asio::io_context& io, limited_cgroup group,
                      std::function<void(const std::string&)> forget);

  void kill() override { living_.kill(); }
  void when_gone(std::function<void()> f) override;

  const std::vector<limited_cgroup::directory>& directories() const { return group_.directories(); }

  /// Whether the kernel has killed one of them for want of memory.
  bool oom_killed();

  /// Removes what can be removed at once.
  std::error_code remove();

 private:
  void remove(std::function<void()> f, int attempts);

  boost::asio::io_context& io_;
  limited_cgroup group_;
  cgroup_descendants living_;
  std::function<void(const std::string&)> forget_;
  bool oom_killed_ = false;
};

} // namespace penning::io
