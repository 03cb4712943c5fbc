#pragma once

#include <penning/supervision/child_spec.hpp>
#include <penning/supervision/messages.hpp>
#include <penning/supervision/spec_term.hpp>
#include <penning/supervision/supervisor.hpp>
#include <penning/supervision/supervisor_core.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace penning::supervision {

/// What a dynamic supervisor is made of. Source: Elixir's `DynamicSupervisor.init/1`.
struct dynamic_options {
  /// Only `one_for_one`; the default intensity is Elixir's.
  sup_flags flags{.intensity = 3};
  std::optional<std::uint64_t> max_children = {}; ///< No bound unless set.
  actors::list extra_arguments = {}; ///< Come before the arguments of each specification.
  std::string name = {};             ///< For reports.
  start_resolver resolve = {};       ///< For specifications that come as terms.
};

/// A supervisor whose children come and go by request, any number of them, in no order: what costs
/// O(n) in OTP's costs O(1) here, the end of one among a million included.
///
/// Made from `supervisor_options` it is OTP's `simple_one_for_one`: all children are made from its
/// one specification, `start_child` takes further arguments. Made from `dynamic_options` it is
/// Elixir's `DynamicSupervisor`: `start_child` takes a specification, whose id does not matter, and
/// answers `ignore`, `{error, max_children}` or `{error, Reason}` besides `{ok, Pid}`.
///
/// A child is named by its process. At the end all are stopped at once. docs/semantics.md tells
/// rule by rule what the two do. Source: `supervisor.erl`; `DynamicSupervisor` in Elixir.
class dynamic_supervisor : public supervisor_core {
 public:
  dynamic_supervisor(caf::actor_config& config, supervisor_options options);
  dynamic_supervisor(caf::actor_config& config, dynamic_options options);

  const char* name() const override { return "penning.dynamic_supervisor"; }

 protected:
  actors::start_result init() override;
  void handle_ack(const caf::actor_addr& from, const actors::start_result& result) override;
  void terminate(const term& reason) override;

  void answer(start_child& request, actors::pending_answer& from) override;
  void answer(terminate_child& request, actors::pending_answer& from) override;
  void answer(restart_child& request, actors::pending_answer& from) override;
  void answer(delete_child& request, actors::pending_answer& from) override;
  void answer(get_childspec& request, actors::pending_answer& from) override;
  void change(supervisor_spec to) override;
  const start_resolver& resolver() const override { return resolve_; }
  children list() const override;
  child_counts count() const override;

  void on_exit_signal(const caf::actor_addr& from, const term& reason) override;
  void on_stopped(const caf::actor& pid, const term& reason) override;
  void retry(const term& key) override;
  void stop_children() override;
  bool give_up_start() override;

 private:
  struct child {
    std::shared_ptr<const child_spec> spec;
    actors::list arguments;
    caf::actor pid = {};           // null while its restart has failed
    std::size_t index = 0;         // in the list
    caf::actor_addr last_pid = {}; // for reports: what it ran as before
    std::unique_ptr<term> ended =
      {}; // reason of an exit signal that has come but is not handled yet
    std::unique_ptr<restart_delay> delay = {}; // if its specification has a back-off
    bool has_no_arguments = false;             // any more
    bool has_failed = false;                   // its last start
  };
  /// By the process that runs, or ran before the restart that failed.
  using child_map = std::unordered_map<caf::actor_id, child>;
  struct pending_start {
    child_map::node_type which;
    std::function<void(child_map::node_type which, const actors::start_result& result)> done;
  };
  using start_done = decltype(pending_start::done);

  bool is_simple() const noexcept { return template_ != nullptr; }
  void start(child_map::node_type which, start_done done);
  void on_start_result(const actors::start_result& result);
  actors::list more_arguments(const start_child& request) const;
  child own_child(start_child& request) const;
  supervisor_reply start_reply(const caf::actor& pid, const actors::start_result& result) const;
  void insert(child_map::node_type which);
  child_map::node_type extract(caf::actor_id key);

  void on_child_exit(caf::actor_id key);
  void restart(child_map::node_type which);
  void restart_later(child_map::node_type which);
  void restart_now(child_map::node_type which);
  static restart_delay& delay_of(child& which);

  void stop(caf::actor_id key, stop_group group);
  void on_end_of_stop(child& which, const term& reason, bool found_dead);
  void on_one_stopped();
  bool is_silent(const child_spec& spec, const term& reason, bool found_dead) const;
  void tell_about(report_kind kind, const child& about, term reason,
                  term info = actors::atoms::undefined());

  std::shared_ptr<const child_spec> template_; // of simple_one_for_one
  std::vector<child_spec> first_specs_;        // until init
  std::optional<std::uint64_t> max_children_;
  actors::list extra_arguments_;
  start_resolver resolve_;

  child_map children_;
  child_list list_{false};       // the same, for `which_children`
  std::uint64_t restarting_ = 0; // children among them
  std::uint64_t supervisors_ = 0;
  std::optional<pending_start> starting_;
  std::function<void()> stopped_;        // when no child is left that is being stopped
  std::uint64_t stopping_ = 0;           // children that are
  std::map<term, std::uint64_t> errors_; // at the end of a simple_one_for_one: how many by reason
};

} // namespace penning::supervision
