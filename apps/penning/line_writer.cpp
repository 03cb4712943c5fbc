#include "line_writer.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace penning::apps {

line_writer::line_writer(caf::actor_config& config, int fd, caf::actor watcher)
    : process{config},
      fd_{fd},
      watcher_{std::move(watcher)} {}

caf::message_handler line_writer::receive() {
  return {[this](const write_text& message) { write(message.text); }};
}

void line_writer::write(std::string_view text) {
  while (watcher_ && !text.empty()) {
    const auto written = ::write(fd_, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) { // whoever shares the descriptor has made it non-blocking
      pollfd ready{fd_, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      const auto reason = std::system_category().message(errno);
      actors::post(std::exchange(watcher_, nullptr), output_gone{reason});
    }
  }
}

void line_writer::terminate(const actors::term&) {
  watcher_ = nullptr;
}

} // namespace penning::apps
