#pragma once

#include <penning/io/descendants.hpp>

#include <functional>
#include <string>
#include <vector>

namespace penning::io {

/// The children of this process, zombies too; those of all its threads.
std::vector<pid_t> child_pids();

/// What a program of ours that is a child subreaper has adopted: descendants of its children whose
/// own parents are gone. Each child gets a mark in its environment, which those that it starts
/// inherit; one who cleared it belongs to nobody, and goes when no child is left.
class adopted_orphans {
 public:
  /// `is_ours(pid)`: a process that we started. `is_launching()`: there may be more of them, of
  /// which that does not know yet.
  adopted_orphans(boost::asio::io_context& io, std::function<bool()> is_launching,
                  std::function<bool(pid_t)> is_ours)
      : io_(io),
        is_launching_(std::move(is_launching)),
        is_ours_(std::move(is_ours)) {}

  /// `NAME=value` for the environment of the next child. Thread safe.
  static std::string next_mark();

  /// The living ones with this mark, each held by a pidfd; zombies are reaped. An empty mark means
  /// all of them. Errors, if there are none: EMFILE and the like, if not one could be held; EAGAIN,
  /// if one just ends or executes another program, so that nobody can tell whose it is.
  std::vector<held_member> hold(const std::string& mark, std::error_code& error);

  boost::asio::io_context& io() { return io_; }

 private:
  enum class verdict { other, wanted, unclear, died };
  verdict judge(pid_t pid, const std::string& mark);

  boost::asio::io_context& io_;
  std::function<bool()> is_launching_;
  std::function<bool(pid_t)> is_ours_;
};

/// Those of one child.
class orphaned_descendants final : public descendants {
 public:
  orphaned_descendants(adopted_orphans& all, std::string mark)
      : all_(all),
        mark_(std::move(mark)) {}

  void kill() override;
  void when_gone(std::function<void()> f) override;

 private:
  adopted_orphans& all_;
  std::string mark_;
  int unclear_ = 0; ///< How often in a row.
  bool killing_ = false;
};

} // namespace penning::io
