#include "scripted_children.hpp"

#include <penning/actors/gen_server.hpp>
#include <penning/supervision/partition_supervisor.hpp>

#include <cstdint>
#include <limits>
#include <set>

namespace penning::test {
namespace {

TEST(PartitionOf, IsTheRemainderOfAnInteger) {
  EXPECT_EQ(partition_of(7, 4), 3u);
  EXPECT_EQ(partition_of(-7, 4), 3u);
  EXPECT_EQ(partition_of(std::numeric_limits<std::int64_t>::min(), 7), 1u); // 2^63 rem 7
  const auto big = actors::big_integer::parse("-100000000000000000000000000000");
  EXPECT_EQ(partition_of(*big, 7), 5u); // 10^29 rem 7
}

TEST(PartitionOf, SpreadsOtherTerms) {
  std::set<std::size_t> seen;
  for (int i = 0; i < 100; ++i)
    seen.insert(partition_of(tuple_of("user"_a, i), 8));
  EXPECT_EQ(seen.size(), 8u);
  EXPECT_EQ(partition_of("a"_a, 8), partition_of("a"_a, 8));
}

TEST(PartitionTable, HasAtLeastOnePartition) {
  EXPECT_THROW(partition_table{0}, std::invalid_argument);
  EXPECT_GE(partition_table{}.max_partitions(), 1u);
}

class PartitionSupervisor : public supervised<partition_supervisor, partition_options> {
 protected:
  partition_options options() {
    return {.table = table_,
            .start =
              [this](process& self, std::size_t partition) {
                return self.start_link<worker>(std::ref(world_), std::to_string(partition));
              },
            .name = "top"};
  }

  caf::actor worker_of(const std::string& id) { return world_.actors[id]; }

  std::shared_ptr<partition_table> table_ = std::make_shared<partition_table>(4);
};

TEST_F(PartitionSupervisor, StartsAChildForEachPartition) {
  EXPECT_EQ(table_->partitions(), 0u);
  start(options());
  EXPECT_EQ(take(), (trace{"start 0", "start 1", "start 2", "start 3"}));
  EXPECT_EQ(table_->partitions(), 4u);
  EXPECT_EQ(count().active, 4u);
  ASSERT_EQ(which().size(), 4u);
  EXPECT_EQ(which()[3].id, term{0});
  EXPECT_EQ(which()[3].pid, worker_of("0"));
}

TEST_F(PartitionSupervisor, FindsTheProcessOfAKey) {
  start(options());
  EXPECT_EQ(table_->find(6), worker_of("2"));
  const auto partition = partition_of("key"_a, 4);
  EXPECT_EQ(table_->find("key"_a), worker_of(std::to_string(partition)));
}

TEST_F(PartitionSupervisor, IsAPlaceOfNames) {
  start(options());
  EXPECT_EQ(whereis(system(), table_->via(-1)), worker_of("1"));
  EXPECT_TRUE(send(system(), table_->via(1), term{"boom"_a}));
  run();
  EXPECT_EQ(take().back(), "start 1") << "it got the message, and was restarted";
}

class named : public probe {
 public:
  named(caf::actor_config& config, probe::log& remembered, actors::server_name name)
      : probe{config, remembered} {
    set_name(std::move(name));
  }
};

TEST_F(PartitionSupervisor, LetsNobodyElseTakeAName) {
  start(options());
  probe::log log;
  spawn<named>(log, table_->via(1));
  ASSERT_TRUE(log.ended);
  EXPECT_TRUE(log.ended->is_tuple("exception", 2)) << to_string(*log.ended);
  EXPECT_EQ(table_->find(1), worker_of("1"));
}

TEST_F(PartitionSupervisor, ShowsTheNewProcessOnceItIsUp) {
  start(options());
  const auto before = table_->find(1);
  world_.never_answers["1"] = true;
  crash("1", "boom"_a);
  EXPECT_EQ(table_->find(1), nullptr) << "neither the dead one nor one that is starting";
  EXPECT_EQ(table_->find(2), worker_of("2")) << "the others are found meanwhile";
  answer_start("1", {});
  EXPECT_EQ(table_->find(1), worker_of("1"));
  EXPECT_NE(table_->find(1), before);
  EXPECT_NE(table_->find(1), nullptr);
}

TEST_F(PartitionSupervisor, GivesEachPartitionItsOwnArguments) {
  std::vector<term> seen;
  auto given = options();
  given.child.mfargs.arguments = actors::list_of("shard"_a);
  given.child.start =
    [&, start = std::exchange(given.start, nullptr)](process& self, const actors::list& arguments) {
      seen.push_back(arguments);
      return start(self, seen.size() - 1);
    };
  given.with_arguments = [](const actors::list& arguments, std::size_t partition) {
    return actors::list_of(*arguments.begin(), partition);
  };
  start(given);
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[3], term{actors::list_of("shard"_a, 3)});
}

TEST_F(PartitionSupervisor, StopsAndStartsPartitionsByRequest) {
  start(options());
  take();
  EXPECT_EQ(ask(resize{2}).result, tuple_of("ok"_a, 4));
  EXPECT_EQ(take(), (trace{"stop 3 shutdown", "stop 2 shutdown"}));
  EXPECT_EQ(table_->partitions(), 2u);
  EXPECT_EQ(table_->find(3), worker_of("1"));
  EXPECT_EQ(ask(resize{4}).result, tuple_of("ok"_a, 2));
  EXPECT_EQ(take(), (trace{"start 2", "start 3"}));
  EXPECT_EQ(table_->find(3), worker_of("3"));
  EXPECT_EQ(ask(resize{4}).result, tuple_of("ok"_a, 4));
  EXPECT_EQ(ask(resize{5}).result, tuple_of("error"_a, tuple_of("badarg"_a, 5)));
  EXPECT_EQ(ask(resize{0}).result, tuple_of("ok"_a, 4));
  EXPECT_EQ(table_->find(3), nullptr);
  EXPECT_EQ(table_->find("key"_a), nullptr);
}

TEST_F(PartitionSupervisor, SendsNobodyToAPartitionThatIsBeingStopped) {
  start(options());
  world_.ignores_shutdown["3"] = true;
  std::optional<supervisor_reply> reply;
  later(resize{3}, [&](const supervisor_reply& r) { reply = r; });
  run();
  EXPECT_FALSE(reply);
  EXPECT_EQ(table_->find(3), worker_of("0"));
  advance(5s);
  EXPECT_TRUE(reply);
}

TEST_F(PartitionSupervisor, KeepsItsSizeIfAPartitionDoesNotStart) {
  start(options());
  ask(resize{1});
  world_.start_errors["2"] = {"no"_a};
  EXPECT_EQ(ask(resize{4}).result,
            tuple_of("error"_a, tuple_of("failed_to_start_child"_a, 2, "no"_a)));
  EXPECT_EQ(table_->partitions(), 1u);
  EXPECT_EQ(ask(resize{4}).result, tuple_of("ok"_a, 1)) << "though one was up already";
  EXPECT_EQ(count().active, 4u);
}

TEST_F(PartitionSupervisor, ForgetsItsProcessesWhenItEnds) {
  start(options());
  stop();
  EXPECT_EQ(table_->partitions(), 0u);
  EXPECT_EQ(table_->find(1), nullptr);
  log_ = {};
  start(options());
  EXPECT_EQ(table_->find(1), worker_of("1"));
}

TEST_F(PartitionSupervisor, HasItsTableForItself) {
  start(options());
  const auto first = supervisor_;
  start(options());
  EXPECT_EQ(result().how, start_kind::stop);
  EXPECT_EQ(result().value, tuple_of("already_started"_a, actors::to_pid(first.address())));
  EXPECT_EQ(table_->find(1), worker_of("1")) << "the first one is not disturbed";
  supervisor_ = first;
}

TEST_F(PartitionSupervisor, IsOfUseAgainAfterItWasKilled) {
  caf::actor_addr partitions;
  auto given = options();
  given.start = [&, start = given.start](process& self, std::size_t partition) {
    partitions = self.address();
    return start(self, partition);
  };
  supervisor_options outer{.children = {{.id = "partitions"_a,
                                         .start = start_of<partition_supervisor>(given),
                                         .type = child_type::supervisor}}};
  const auto whole = spawn<probe>(log_);
  actors::post(whole, probe::step{[&](probe& self) {
                 supervisor_ =
                   self.start_link<penning::supervision::supervisor>(std::move(outer)).pid;
               }});
  run();
  const auto before = table_->find(1);
  actors::send_exit(caf::actor_cast<caf::actor>(partitions), {}, atoms::kill());
  run();
  EXPECT_EQ(table_->partitions(), 4u);
  EXPECT_NE(table_->find(1), nullptr);
  EXPECT_NE(table_->find(1), before);
  actors::send_exit(whole, {}, atoms::kill());
  run();
}

TEST_F(PartitionSupervisor, KeepsItsPartitionsThroughACodeChange) {
  start(options());
  EXPECT_EQ(ask(code_change{supervisor_spec{{.intensity = 0}, {child("other")}}}).result,
            atoms::ok());
  EXPECT_EQ(count().specs, 4u);
  crash("1", "boom"_a);
  EXPECT_EQ(ended_with(), atoms::shutdown()) << "the new intensity";
}

TEST_F(PartitionSupervisor, RefusesWhatElixirRefuses) {
  auto given = options();
  given.flags.auto_shutdown = auto_shutdown::any_significant;
  start(given);
  EXPECT_EQ(result().value, tuple_of("supervisor_data"_a,
                                     tuple_of("invalid_auto_shutdown"_a, "any_significant"_a)));
  start({.table = table_});
  EXPECT_EQ(result().value, tuple_of("start_spec"_a, "missing_start"_a));
  start(partition_options{});
  EXPECT_EQ(result().value, tuple_of("badarg"_a, "table"_a));
  EXPECT_EQ(table_->partitions(), 0u);
}

class counter {
 public:
  struct add {
    int by;
  };

  explicit counter(int start) : count_{start} {}
  int handle_call(add request) { return count_ += request.by; }

 private:
  int count_;
};

TEST(PartitionsOnThreads, AreServersOfTheirOwnType) {
  using server = actors::gen_server<counter>;
  actors::system_config config{{2}};
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  auto counters = std::make_shared<partition_table>(3);
  const auto supervisor = actors::start_link<partition_supervisor>(
    *self, partition_options{.table = counters, .start = [](process& parent, std::size_t n) {
                               return parent.start_link<server>(static_cast<int>(n) * 100);
                             }});
  EXPECT_EQ(counters->ref<server>(5).call(self, counter::add{1}), 201);
  EXPECT_EQ(counters->ref<server>(2).call(self, counter::add{1}), 202);
  actors::send_exit(supervisor, self.address(), atoms::shutdown());
  self->wait_for(supervisor);
  EXPECT_THROW(counters->ref<server>(5).call(self, counter::add{1}), actors::call_failed);
}

} // namespace
} // namespace penning::test
