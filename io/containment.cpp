#include <penning/io/containment.hpp>

#include <penning/io/launch_options.hpp>

#include <string>

namespace penning::io {

std::string_view to_string(containment_kind kind) noexcept {
  switch (kind) {
  case containment_kind::process_group: return "process group with guardian";
  case containment_kind::subreaper: return "subreaper";
  case containment_kind::cgroup: return "cgroup";
  case containment_kind::pid_namespace: return "pid namespace";
  }
  return "";
}

std::string_view to_string(containment_choice choice) noexcept {
  switch (choice) {
  case containment_choice::strongest: return "strongest";
  case containment_choice::cgroup_v2: return "cgroup_v2";
  case containment_choice::cgroup_v1: return "cgroup_v1";
  case containment_choice::subreaper: return "subreaper";
  case containment_choice::process_group: return "process_group";
  }
  return "";
}

containment_choice containment_choice_of(std::string_view word) {
  using enum containment_choice;
  for (auto choice : {strongest, cgroup_v2, cgroup_v1, subreaper, process_group})
    if (to_string(choice) == word)
      return choice;
  throw option_error("containment", std::string(word),
                     "must be strongest, cgroup_v2, cgroup_v1, subreaper or process_group");
}

} // namespace penning::io
