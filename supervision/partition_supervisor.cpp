#include <penning/supervision/partition_supervisor.hpp>

#include <utility>

namespace penning::supervision {

using namespace actors::literals;
using actors::tuple_of;
namespace atoms = actors::atoms;
using start_kind = actors::start_result::kind;

partition_supervisor::partition_supervisor(caf::actor_config& config, partition_options options)
    : supervisor{config, base_options(options)},
      table_{std::move(options.table)} {}

supervisor_options partition_supervisor::base_options(partition_options& options) {
  supervisor_options result{
    .flags = options.flags, .children = {}, .name = std::move(options.name)};
  const auto count = options.table ? options.table->max_partitions() : 0;
  for (std::size_t partition = 0; partition < count; ++partition) {
    auto spec = options.child;
    spec.id = partition;
    if (options.with_arguments)
      spec.mfargs.arguments = options.with_arguments(spec.mfargs.arguments, partition);
    if (options.start)
      spec.start = [start = options.start, partition](actors::process& self, const actors::list&) {
        return start(self, partition);
      };
    if (spec.start)
      spec.start = start_into_table(std::move(spec.start), partition);
    result.children.push_back(std::move(spec));
  }
  return result;
}

start_function partition_supervisor::start_into_table(start_function start, std::size_t partition) {
  return
    [start = std::move(start), partition](actors::process& self, const actors::list& arguments) {
      auto& supervisor = static_cast<partition_supervisor&>(self);
      return supervisor.entered(start(self, arguments), partition);
    };
}

actors::started partition_supervisor::entered(actors::started result, std::size_t partition) {
  pending_.reset();
  if (result.pid && result.result.how == start_kind::ok)
    table_->enter(partition, result.pid);
  else if (result.pid && result.result.how == start_kind::pending)
    pending_.emplace(partition, result.pid.address());
  return result;
}

void partition_supervisor::handle_ack(const caf::actor_addr& from,
                                      const actors::start_result& result) {
  if (pending_ && pending_->second == from) {
    const auto pid = caf::actor_cast<caf::actor>(from);
    if (pid && result.how == start_kind::ok)
      table_->enter(pending_->first, pid);
    pending_.reset();
  }
  supervisor::handle_ack(from, result);
}

actors::start_result partition_supervisor::init() {
  if (!table_)
    return {start_kind::stop, tuple_of("badarg"_a, "table"_a)};
  if (flags().auto_shutdown != auto_shutdown::never)
    return {start_kind::stop, tuple_of("supervisor_data"_a,
                                       tuple_of("invalid_auto_shutdown"_a,
                                                actors::atom{to_string(flags().auto_shutdown)}))};
  if (const auto owner = table_->open(address()))
    return {start_kind::stop, tuple_of("already_started"_a, actors::to_pid(owner))};
  at_end(caf::actor{this}, [table = table_, self = address()] { table->close(self); });
  return supervisor::init();
}

caf::message_handler partition_supervisor::receive() {
  return caf::message_handler{
    [this](resize request) -> caf::result<supervisor_reply> {
      actors::pending_answer from{make_response_promise()};
      enqueue([this, request, from]() mutable { change_size(request, from); }, from);
      return from.promise();
    },
  }
    .or_else(supervisor::receive());
}

void partition_supervisor::change_size(resize request, actors::pending_answer& from) {
  const auto after = request.partitions, before = table_->partitions();
  if (after > table_->max_partitions())
    return from.deliver(error_reply(tuple_of("badarg"_a, after)));
  operation next;
  for (auto partition = before; partition < after; ++partition)
    if (auto* known = find(term{partition}); known && known->state == child_state::undefined)
      next.start.push_back(known);
  for (auto partition = before; partition > after; --partition)
    if (auto* known = find(term{partition - 1}))
      next.stop.push_back(known);
  if (after < before)
    table_->set_partitions(after);
  next.done = [this, after, before, from](child* failed, const term& reason) mutable {
    if (failed) {
      from.deliver(error_reply(tuple_of("failed_to_start_child"_a, failed->spec->id, reason)));
    } else {
      table_->set_partitions(after);
      from.deliver(supervisor_reply{tuple_of(atoms::ok(), before), nullptr});
    }
    set_idle();
  };
  run(std::move(next));
}

void partition_supervisor::change(supervisor_spec to) {
  if (to.flags.auto_shutdown != auto_shutdown::never)
    throw spec_error{
      tuple_of("supervisor_data"_a, tuple_of("invalid_auto_shutdown"_a,
                                             actors::atom{to_string(to.flags.auto_shutdown)}))};
  to.children.clear();
  supervisor::change(std::move(to));
}

} // namespace penning::supervision
