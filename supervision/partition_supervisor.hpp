#pragma once

#include <penning/supervision/partition_table.hpp>
#include <penning/supervision/supervisor.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace penning::supervision {

/// What a partition supervisor is made of.
struct partition_options {
  std::shared_ptr<partition_table> table; ///< Says how many partitions there are.
  child_spec child = {};                  ///< Of every partition; its id is the partition.
  /// Starts a partition, instead of `child.start`, in the manner of `process::start_link`.
  std::function<actors::started(actors::process& supervisor, std::size_t partition)> start = {};
  /// What `child.start` gets as arguments for a partition, from those of `child`: the same unless
  /// this is set.
  std::function<actors::list(const actors::list& arguments, std::size_t partition)> with_arguments =
    {};
  sup_flags flags{.intensity = 3}; ///< Any strategy; no `auto_shutdown`. The defaults are Elixir's.
  std::string name = {};           ///< For reports.
};

/// Asks a partition supervisor for another number of partitions, from 0 to `max_partitions`. Those
/// beyond it are stopped, last one first, once no key belongs to them any more; new ones get keys
/// when all are up.
/// Answers: `{ok, Former}`, `{error, {badarg, N}}` for a number that it cannot have, or `{error,
/// {failed_to_start_child, Partition, Reason}}`, with as many partitions as before.
struct resize {
  std::size_t partitions = 0;
};

/// A supervisor of equal children, each for a part of all keys, so that no single process has to
/// serve them all. Callers find the process of a key in the table and do not ask the supervisor.
///
///     auto rooms = std::make_shared<partition_table>(8);
///     self.start_link<partition_supervisor>(partition_options{
///       .table = rooms, .start = [](process& supervisor, std::size_t partition) {
///         return supervisor.start_link<gen_server<room>>(partition);
///       }});
///     rooms->ref<gen_server<room>>(user).call(&self, room::enter{user}).then([](bool in) { ... });
///     send(system, rooms->via(user), cast{"knock"_a});
///
/// Otherwise it is a `supervisor`, whose children have the ids 0 to N-1. One to which the table is
/// given while another has it does not start: `{already_started, Pid}`.
/// Errors: what `with_arguments` throws comes out of `start_link`.
/// Source: Elixir's `PartitionSupervisor`.
class partition_supervisor final : public supervisor {
 public:
  partition_supervisor(caf::actor_config& config, partition_options options);

  const char* name() const override { return "penning.partition_supervisor"; }

 protected:
  actors::start_result init() override;
  caf::message_handler receive() override;
  void handle_ack(const caf::actor_addr& from, const actors::start_result& result) override;
  /// Takes new flags only: the partitions are those of the table.
  void change(supervisor_spec to) override;

 private:
  static supervisor_options base_options(partition_options& options);
  static start_function start_into_table(start_function start, std::size_t partition);
  actors::started entered(actors::started result, std::size_t partition);
  void change_size(resize request, actors::pending_answer& from);

  std::shared_ptr<partition_table> table_;
  std::optional<std::pair<std::size_t, caf::actor_addr>> pending_; // has not said yet that it is up
};

} // namespace penning::supervision

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::supervision::resize)
