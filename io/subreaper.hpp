#pragma once

#include <penning/io/context.hpp>

namespace penning::io {

/// For a program of our own, first thing in main: sees to it that a context made with the result
/// has the strongest containment there is, or the one that is `wanted`.
///
/// Where no control group may be made the program becomes two processes: this returns in the child,
/// which is the runtime; the parent is a child subreaper, see PR_SET_CHILD_SUBREAPER(2const). It
/// hands on signals, and when the runtime has ended, by SIGKILL too, it kills every descendant that
/// is left and ends in the same way. When the parent dies the runtime gets SIGTERM. SIGCHLD is
/// blocked in the runtime from then on. A program that
/// has threads already cannot be split; it has the weaker containment.
/// Throws `std::system_error` if it cannot be split.
context_options contain_program(containment_choice wanted = containment_choice::strongest);

} // namespace penning::io
