#include <penning/bridge/open_options.hpp>

#include <penning/actors/os_process_words.hpp>

namespace penning::bridge {

actors::os_process_options to_options(const actors::term& program, const actors::term& args,
                                      const actors::term& options) {
  actors::os_process_options result;
  actors::set_command(result, program, args);
  actors::set_options(result, options);
  return result;
}

} // namespace penning::bridge
