#pragma once

#include <cstdint>
#include <string_view>

namespace penning::io {

/// How a child's processes are kept from outliving it, weakest first.
enum class containment_kind : std::uint8_t {
  process_group, ///< Its group, PR_SET_PDEATHSIG and the guardian.
  subreaper,     ///< An ancestor of the runtime that is a child subreaper.
  cgroup,        ///< A control group of its own.
  pid_namespace, ///< A pid namespace of its own: the kernel itself.
};

/// "process group with guardian", "subreaper", "cgroup", "pid namespace".
std::string_view to_string(containment_kind kind) noexcept;

/// How a runtime contains its children. All but `strongest` are for systems where the choice has to
/// be the operator's, and for tests; `subreaper` is what `contain_program` gives.
enum class containment_choice : std::uint8_t {
  strongest,
  cgroup_v2,
  cgroup_v1,
  subreaper,
  process_group,
};

std::string_view to_string(containment_choice choice) noexcept;

/// By its name as above. Throws `option_error` naming `containment` for another word.
containment_choice containment_choice_of(std::string_view word);

} // namespace penning::io
