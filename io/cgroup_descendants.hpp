#pragma once

#include <penning/io/cgroup_files.hpp>
#include <penning/io/descendants.hpp>
#include <penning/io/unique_fd.hpp>
#include <penning/io/watched_descriptor.hpp>

#include <optional>
#include <string>

namespace penning::io {

/// The processes in a control group.
class cgroup_descendants final : public descendants {
 public:
  /// `version` of the hierarchy that the directory `path` is in; `files` are what is open of it,
  /// and outlive this.
  cgroup_descendants(boost::asio::io_context& io, std::string path, int version,
                     const cgroup_files* files = nullptr)
      : io_(io),
        watch_(io),
        path_(std::move(path)),
        version_(version),
        files_(files) {}

  void kill() override;
  void when_gone(std::function<void()> f) override;

  /// Whether somebody had to be killed; such a group is not given to another child.
  bool was_killed() const noexcept { return killed_; }

 private:
  void kill_unified();
  void kill_unified(int directory, const std::optional<std::string>& events);
  void kill_one_by_one();
  std::vector<held_member> hold_all(std::error_code& error);
  void when_empty(std::function<void()> f);
  void when_all_dead(std::function<void()> f);

  boost::asio::io_context& io_;
  watched_descriptor watch_; // of cgroup.events
  std::string path_;
  int version_;
  const cgroup_files* files_;
  bool killing_ = false, killed_ = false, empty_ = false;
};

} // namespace penning::io
