#pragma once

#include <penning/actors/runtime.hpp>
#include <penning/bridge/beam.hpp>
#include <penning/bridge/vocabulary.hpp>
#include <penning/supervision/child_spec.hpp>

#include <caf/actor.hpp>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace penning::bridge {

/// What a port program offers besides OS processes.
struct port_program {
  std::string name = "penningd";
  /// Actors that the BEAM may look up, by name. They are asked to end (`shutdown`) with the port.
  std::map<std::string, caf::actor> published;
  /// Local names (`set_name`, `register_name`): the BEAM may look up whoever has one, a worker that
  /// was restarted, say.
  std::set<std::string> published_names;
  /// What the BEAM may start, by name; it is then linked to what stands for it there, and ends with
  /// the port at the latest. Arguments come as the BEAM gives them.
  std::map<std::string, supervision::start_function> startable;
  /// Message types of those actors; what has none of its own reaches them as a `term`.
  bridge::vocabulary vocabulary;
  /// The processes on the other side.
  std::shared_ptr<bridge::beam> beam;
};

/// The main function of a port program: serves the BEAM (docs/protocol.md) on stdin and stdout
/// until it closes them, and returns the status to exit with.
///
/// `setup` runs first; it spawns actors and publishes them. Descriptors 0 and 1 are taken away
/// before, so nothing that is printed can break a frame: it goes to stderr. SIGTERM and SIGINT end
/// the program like a closed port. However it ends, its children are gone first; should its actors
/// not end within 10 s, the program is ended all the same.
/// Where no control group may be made the process splits in two before `setup`, see
/// `io::contain_program`; so call it first in main. The environment variable PENNING_CONTAINMENT
/// chooses a containment: cgroup_v2, cgroup_v1, subreaper or process_group.
/// Returns 0 after an orderly end, 1 with a line on stderr when what came in was no protocol.
int port_main(const std::function<void(actors::runtime&, port_program&)>& setup = {});

} // namespace penning::bridge
