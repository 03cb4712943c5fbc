#pragma once

#include <penning/actors/registry_directory.hpp>
#include <penning/actors/registry_name.hpp>

#include <memory>
#include <vector>

namespace penning::actors {

/// The table of an actor system's local names; see `local_names`.
class local_registry final : public name_registry {
 public:
  name_result register_name(const term& name, const caf::actor& actor) override;
  bool unregister_name(const term& name) override;
  caf::actor whereis_name(const term& name) const override;

  /// All names, in no order.
  std::vector<term> names() const { return names_->keys(); }

 private:
  using rule = detail::directory::rule;

  std::shared_ptr<detail::directory> names_ = std::make_shared<detail::directory>(rule::one_each);
};

} // namespace penning::actors
