#pragma once

#include <penning/actors/process.hpp>

#include <string>

namespace penning::apps {

/// Text for a `line_writer`. Sent as a request it is answered once it has been written.
struct write_text {
  std::string text;
};

/// From a `line_writer`, once: nobody reads any more.
struct output_gone {
  std::string reason;
};

/// Writes text to a descriptor, which may block: spawn it `caf::detached`, on a thread of its own.
/// After a failed write it takes and drops what comes, so that nobody waits for it.
class line_writer : public actors::process {
 public:
  /// `fd` stays open and the caller's; `watcher` hears `output_gone`.
  line_writer(caf::actor_config& config, int fd, caf::actor watcher);

  const char* name() const override { return "penning.line_writer"; }

 protected:
  caf::message_handler receive() override;
  void terminate(const actors::term& reason) override;

 private:
  void write(std::string_view text);

  int fd_;
  caf::actor watcher_; // null once it has heard
};

} // namespace penning::apps

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::apps::write_text)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::apps::output_gone)
