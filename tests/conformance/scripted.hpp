#pragma once

// The processes of a scenario: real supervisors, whose starts and ends are written down, and
// children that behave as a script tells.

#include "world.hpp"

#include <penning/supervision/dynamic_supervisor.hpp>
#include <penning/supervision/supervisor.hpp>

#include <concepts>
#include <string>
#include <utility>

namespace penning::conformance {

/// Ends a scripted process as if by its own decision.
struct end_yourself {
  term reason;
};

/// Who a process is.
struct role {
  std::string id;
  int number = 0;
  std::optional<term> name = {};
};

/// A supervisor that tells the world of its start, of its end, and how the starts of those of its
/// children came out that took longer than their start function.
template <std::derived_from<supervision::supervisor_core> Base>
class recorded final : public Base {
 public:
  template <class Options>
  recorded(caf::actor_config& config, world& where, role who, Options options)
      : Base{config, std::move(options)},
        world_{where},
        role_{std::move(who)} {
    if (role_.name)
      this->set_name(*role_.name);
  }

 protected:
  actors::start_result init() override {
    world_.enter({.id = role_.id,
                  .number = role_.number,
                  .pid = caf::actor{this},
                  .parent = this->parent(),
                  .is_supervisor = true,
                  .is_dynamic = std::same_as<Base, supervision::dynamic_supervisor>});
    return Base::init();
  }

  void handle_ack(const caf::actor_addr& from, const actors::start_result& result) override {
    using enum actors::start_result::kind;
    if (world_.is_starting(from.id(), this->address())) {
      if (result.how == ok)
        world_.start_succeeded(from.id());
      else
        world_.start_failed(result.how == ignore ? "start_ignore" : "start_error", from.id());
    }
    Base::handle_ack(from, result);
  }

  void handle_exit(const caf::actor_addr& from, const term& reason) override {
    if (from && world_.is_starting(from.id(), this->address())) // it ended without an answer
      world_.start_failed("start_error", from.id());
    Base::handle_exit(from, reason);
  }

  void terminate(const term& reason) override {
    world_.leave(this->id(), reason);
    Base::terminate(reason);
  }

 private:
  world& world_;
  role role_;
};

/// Finds the start functions of scripted children by the number of their script.
supervision::start_resolver resolver_of(world& where);

/// `{sup_golden, start, [Id, Script]}`
term start_of_script(const term& id, std::size_t script);

/// Starts the supervisor that flags and specifications describe, linked to `parent`.
actors::started start_supervisor(actors::process& parent, world& where, role who,
                                 const child_script::subtree& what);

/// Elixir's, from `#{intensity, period, max_children, extra_arguments}`.
actors::started start_elixir_supervisor(actors::process& parent, world& where, role who,
                                        const term& flags);

} // namespace penning::conformance

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::conformance::end_yourself)
